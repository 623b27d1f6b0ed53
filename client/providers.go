package client

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
)

// Provider is a way to send: what its accounts need, what its limits are, and what its codes mean.
type Provider struct {
	Name         string               `json:"name"`
	Title        Bilingual            `json:"title"`
	Docs         string               `json:"docs"` // the vendor's page
	Channels     []Channel            `json:"channels"`
	Fields       []ProviderField      `json:"fields"`
	Binding      []ProviderField      `json:"binding,omitzero"` // of a template, where the vendor has templates of its own
	Limits       ProviderLimits       `json:"limits"`
	Dedup        bool                 `json:"dedup"`    // it sends one message at most once, however often it is asked
	Receipts     bool                 `json:"receipts"` // it says later what became of a message
	Approvals    bool                 `json:"approvals,omitzero"`
	ReceiptsByID bool                 `json:"receipts_by_id,omitzero"`
	Replies      bool                 `json:"replies,omitzero"`    // it posts what recipients answer
	Polls        *ProviderPolls       `json:"polls,omitzero"`      // how it is asked; nil: it tells by itself, or never
	Suppresses   map[string]string    `json:"suppresses,omitzero"` // codes after which an address is not written to again, and why
	AllowList    []string             `json:"allow_list,omitzero"` // codes with which it refuses addresses that are not on its list
	Own          *OwnChannel          `json:"channel,omitzero"`    // the channel that its recipe declares
	Codes        map[string]Bilingual `json:"codes,omitzero"`
	Uploaded     int64                `json:"uploaded,omitzero"` // the version of an uploaded recipe; 0: it comes with notify
}

// Bilingual is a text in both languages.
type Bilingual struct {
	Zh string `json:"zh"`
	En string `json:"en"`
}

// ProviderField is one entry of a form.
type ProviderField struct {
	Name     string    `json:"name"`
	Label    Bilingual `json:"label"`
	Help     Bilingual `json:"help"`
	Type     string    `json:"type"` // string, text, number, boolean, url, select, variables
	Options  []string  `json:"options,omitzero"`
	Default  string    `json:"default,omitzero"`
	Pattern  string    `json:"pattern,omitzero"`
	Required bool      `json:"required"`
	Secret   bool      `json:"secret"`
}

// ProviderLimits are the vendor's; 0 is none that is known.
type ProviderLimits struct {
	PerSecond   int             `json:"per_second,omitzero"`
	PerMinute   int             `json:"per_minute,omitzero"`
	PerDay      int             `json:"per_day,omitzero"`
	Concurrency int             `json:"concurrency,omitzero"`
	Payload     int             `json:"payload,omitzero"` // bytes
	Recipient   RecipientLimits `json:"recipient,omitzero"`
	Zone        string          `json:"zone,omitzero"` // where the vendor's days begin; UTC without it
	Source      string          `json:"source,omitzero"`
}

// RecipientLimits are of one recipient over one account.
type RecipientLimits struct {
	PerMinute int `json:"per_minute,omitzero"`
	PerHour   int `json:"per_hour,omitzero"`
	PerDay    int `json:"per_day,omitzero"`
}

// ProviderPolls is how a provider is asked what became of messages.
type ProviderPolls struct {
	Of     string `json:"of"`                     // account: for all that is new; message: about each message
	Every  int    `json:"every_seconds"`          // between two questions
	After  int    `json:"after_seconds,omitzero"` // the first one, after a message was sent
	Until  int    `json:"until_seconds,omitzero"` // the last one, after a message was sent
	Switch string `json:"switch,omitzero"`        // the account's field that turns it on; "": always
}

// OwnChannel is a channel that a recipe declares.
type OwnChannel struct {
	Name    Channel   `json:"name"`
	Title   Bilingual `json:"title"`
	Address string    `json:"address"` // a regular expression for the whole address
	Example string    `json:"example"`
	Content string    `json:"content"` // text, chat, push, data
}

// Recipe is an uploaded recipe: a provider in YAML, and perhaps a channel. Lists leave the text out.
type Recipe struct {
	Name   string `json:"name"`
	Recipe string `json:"recipe"`
	Meta
}

// RecipeLine is a version of an uploaded recipe without its text.
type RecipeLine struct {
	Name string `json:"name"`
	Meta
}

// PutRecipeRequest is a recipe to upload.
type PutRecipeRequest struct {
	Recipe  string `json:"recipe"`
	Version int64  `json:"version,omitzero"` // the one that you read and replace; 0 makes a new one
	Reason  string `json:"reason,omitzero"`
}

// Providers lists what accounts can be made of, uploaded recipes too.
func (c *Client) Providers(ctx context.Context) ([]Provider, error) {
	return listOf[Provider](ctx, c, "/v1/providers")
}

// Provider reads one by its name.
func (c *Client) Provider(ctx context.Context, name string) (*Provider, error) {
	return get[Provider](ctx, c, "/v1/providers/"+url.PathEscape(name))
}

func recipePath(name string) string { return "/v1/recipes/" + url.PathEscape(name) }

// Recipes lists the uploaded recipes.
func (c *Client) Recipes(ctx context.Context) ([]RecipeLine, error) {
	return listOf[RecipeLine](ctx, c, "/v1/recipes")
}

// Recipe reads an uploaded recipe's newest version.
func (c *Client) Recipe(ctx context.Context, name string) (*Recipe, error) {
	return get[Recipe](ctx, c, recipePath(name))
}

// RecipeHistory lists a recipe's versions, the newest first.
func (c *Client) RecipeHistory(ctx context.Context, name string) ([]RecipeLine, error) {
	return listOf[RecipeLine](ctx, c, recipePath(name)+"/history")
}

// PutRecipe uploads a recipe, or a new version of one. A fault of the text is a FieldError whose pointer is its
// line, as line:12.
func (c *Client) PutRecipe(ctx context.Context, name string, r PutRecipeRequest) (*Recipe, error) {
	out := &Recipe{}
	_, err := c.do(ctx, call{method: http.MethodPut, path: recipePath(name), body: r}, out)
	return orNil(out, err)
}

// DeleteRecipe deletes a recipe that no account uses.
func (c *Client) DeleteRecipe(ctx context.Context, name string, version int64, reason string) error {
	_, err := c.do(ctx, call{method: http.MethodDelete, path: query(recipePath(name), "version", strconv.FormatInt(version, 10), "reason", reason)}, nil)
	return err
}

// TestAccountRequest asks for one real message over an account; its zero value only tries the credentials.
type TestAccountRequest struct {
	To       string         `json:"to,omitzero"`
	Template string         `json:"template,omitzero"`
	Version  int            `json:"template_version,omitzero"` // a draft too
	Vars     map[string]any `json:"vars,omitzero"`
	Locale   string         `json:"locale,omitzero"`
	Text     string         `json:"text,omitzero"`   // instead of a template
	Tenant   string         `json:"tenant,omitzero"` // in whose name; the key's without it
	Reason   string         `json:"reason,omitzero"`
}

// AccountTest is what came of trying an account.
type AccountTest struct {
	OK     bool         `json:"ok"`
	Detail string       `json:"detail,omitzero"` // what the provider said, or why there was nothing to ask
	Sent   *TrialAnswer `json:"sent,omitzero"`
}

// TrialAnswer is the message that was sent to test an account, and what the provider answered.
type TrialAnswer struct {
	ID         string     `json:"id"`
	Status     Status     `json:"status"`
	Reason     string     `json:"reason,omitzero"`
	Outcome    string     `json:"outcome,omitzero"` // of the call; "" while there is no answer
	HTTPStatus int        `json:"http_status,omitzero"`
	ProviderID string     `json:"provider_id,omitzero"`
	Code       string     `json:"code,omitzero"`
	Text       string     `json:"text,omitzero"`
	Says       *Bilingual `json:"says,omitzero"` // what the code means
	Millis     int64      `json:"ms,omitzero"`
}

// TestAccount tries an account: its credentials, or with a message that is really sent over it and no other.
// It is not tried again when the answer is lost, as every try sends.
func (c *Client) TestAccount(ctx context.Context, name string, r TestAccountRequest) (*AccountTest, error) {
	out := &AccountTest{}
	_, err := c.do(ctx, call{method: http.MethodPost, path: "/v1/accounts/" + url.PathEscape(name) + "/test", body: r}, out)
	return orNil(out, err)
}
