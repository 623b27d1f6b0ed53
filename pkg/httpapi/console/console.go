package console

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/opennotify/notify/pkg/httpapi"
	"github.com/opennotify/notify/pkg/httpapi/session"
)

// Config is what the console needs.
type Config struct {
	// Files is the built page: index.html and hashed assets, each as NAME.gz; or placeholder.html alone.
	Files    fs.FS
	Sessions *session.Sessions
	Links    Links
	Now      func() time.Time
	Random   io.Reader
	Log      *slog.Logger
	// Identity is where people sign in; nil where only keys do.
	Identity *Identity
	// Uploads tells the origin that audiences are uploaded to, as https://bucket.example.com; nil where there
	// are none.
	Uploads func(ctx context.Context) (string, error)
	// Inbox is the path of the development inbox, "" where there is none.
	Inbox string
}

// Console is the endpoints, and the sessions in front of the API.
type Console struct {
	Config
	files    map[string]file
	page     file
	provider provider
}

// New reads the page's files.
func New(cfg Config) (*Console, error) {
	c := &Console{Config: cfg}
	if err := c.load(); err != nil {
		return nil, fmt.Errorf("console's files: %w", err)
	}
	return c, nil
}

// root is where the page lives.
const root = "/console/"

// Endpoints mounts the page and its sessions.
func (c *Console) Endpoints() []httpapi.Endpoint {
	get := func(path, id, summary string) httpapi.Op {
		return httpapi.Op{Method: http.MethodGet, Path: path, ID: id, Summary: summary}
	}
	post := func(name, id, summary string) httpapi.Op {
		return httpapi.Op{Method: http.MethodPost, Path: root + name, ID: id, Summary: summary}
	}
	return []httpapi.Endpoint{
		httpapi.Raw(get("/{$}", "start", "Go to the console"), toConsole),
		httpapi.Raw(get(strings.TrimSuffix(root, "/"), "startConsole", "Go to the console"), toConsole),
		httpapi.Raw(get(root+"{path...}", "getConsole", "The console's page and files"), c.serve),
		httpapi.Raw(get(root+"login", "getLogin", "The console's page, where a one-time link leads"), c.serve),
		httpapi.Raw(get(root+"oidc", "signIn", "Sign in through the identity provider"), c.toIdentity),
		httpapi.Raw(get(oidcCallback, "signedIn", "Where the identity provider sends people back to"), c.fromIdentity),
		httpapi.Route(get(root+"session", "getSession", "Who is signed in"), c.session),
		httpapi.Raw(post("login", "login", "Sign in with an API key or a one-time link"), c.login),
		httpapi.Raw(post("logout", "logout", "Sign out"), c.logout),
		httpapi.Raw(post("preview", "previewMail", "Show a mail's HTML without its scripts"), c.preview),
	}
}

func toConsole(_ context.Context, _ *httpapi.Call, w http.ResponseWriter, r *http.Request) error {
	http.Redirect(w, r, root, http.StatusSeeOther)
	return nil
}
