package docs_test

import (
	"cmp"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/opennotify/notify/pkg/provider"
	"github.com/opennotify/notify/pkg/provider/catalog"
	"github.com/opennotify/notify/pkg/provider/providertest"
	"github.com/opennotify/notify/recipes"
)

var update = flag.Bool("update", false, "write providers.md again")

// TestProviders holds providers.md to the descriptors and the cases.
func TestProviders(t *testing.T) {
	t.Parallel()
	c, err := catalog.Load(provider.Descriptors(), recipes.FS())
	if err != nil {
		t.Fatal(err)
	}
	all, err := c.All(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	page, sum := providersPage(t, all)
	if *update {
		if err := os.WriteFile("providers.md", []byte(page), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	have, err := os.ReadFile("providers.md")
	if err != nil {
		t.Fatal(err)
	}
	if diff := gocmp.Diff(string(have), page); diff != "" {
		t.Errorf("providers.md is stale (-page +descriptors); make gen writes it again:\n%s", diff)
	}
	if len(all) < 20 || sum.Vendor+sum.Unconfirmed < 150 {
		t.Errorf("%d providers, %+v cases", len(all), sum)
	}
}

// providersPage writes the page, and counts all cases.
func providersPage(t *testing.T, all []provider.Descriptor) (string, providertest.Count) {
	var sum providertest.Count
	var rows, parts strings.Builder
	for _, d := range all {
		folder := filepath.Join("..", "recipes", d.Name)
		made := "recipe"
		if _, err := os.Stat(folder); err != nil {
			folder, made = filepath.Join("..", "pkg", "provider", d.Name), "code"
		}
		n, err := providertest.Cases(os.DirFS(folder))
		if err != nil {
			t.Fatalf("%s: %v", d.Name, err)
		}
		sum.Vendor, sum.Unconfirmed = sum.Vendor+n.Vendor, sum.Unconfirmed+n.Unconfirmed
		fmt.Fprintf(&rows, "| [%s](#%s) | %s | %s | %s | %s | %s | %s | %d | %d + %d |\n", d.Name, d.Name, channelsOf(d), made, heardOf(d), tick(d.Replies), tick(d.Dedup), tick(d.Bound()), len(d.Codes), n.Vendor, n.Unconfirmed)
		parts.WriteString(providerPart(d, n))
	}
	return fmt.Sprintf(`# Providers

<!-- Written from the descriptors by "make gen"; a test fails when it is stale. -->

What notify can send through: %d providers. How one is added: [add-a-provider.md](add-a-provider.md); what receipts do: [receipts.md](receipts.md). A running service knows uploaded ones besides: `+"`notify provider list`"+`, `+"`notify provider show NAME`"+`.

Each conversation with a vendor that the tests play names the vendor's page that it is from, or says UNCONFIRMED and why: **%d name a page, %d are unconfirmed.** The last column is the two by provider. A provider without any is tested by a server of its own.

| provider | channels | is | receipts | replies | dedup | vendor's templates | codes | cases |
|---|---|---|---|---|---|---|---|---|
%s
*receipts:* the vendor posts them (pushed), or is asked for them (polled). *replies:* what recipients answer is read, as STOP is. *dedup:* the vendor sends one message at most once, so an attempt that was left without an answer is repeated. *vendor's templates:* it sends nothing but its own, so a template is bound to one of them over each account.
%s`, len(all), sum.Vendor, sum.Unconfirmed, rows.String(), parts.String()), sum
}

// providerPart is a provider's section.
func providerPart(d provider.Descriptor, n providertest.Count) string {
	var b strings.Builder
	line := func(name, format string, args ...any) {
		fmt.Fprintf(&b, "- **%s:** %s\n", name, fmt.Sprintf(format, args...))
	}
	fmt.Fprintf(&b, "\n## %s\n\n%s · %s · [the vendor's page](%s)\n\n", d.Name, d.Title.En, d.Title.Zh, d.Docs)
	line("channels", "%s; addresses: %s", channelsOf(d), addressesOf(d))
	line("limits", "%s", limitsOf(d.Limits))
	line("receipts", "%s", receiptsOf(d))
	if len(d.Suppresses) > 0 {
		line("suppresses", "%s", strings.Join(suppressesOf(d), ", "))
	}
	if len(d.AllowList) > 0 {
		line("may allow listed addresses only", "then it refuses others with `%s`", strings.Join(d.AllowList, "`, `"))
	}
	line("codes", "%d with a sentence in both languages; %d cases name the vendor's page, %d are unconfirmed", len(d.Codes), n.Vendor, n.Unconfirmed)
	form(&b, "an account has", d.Fields)
	form(&b, "a template's binding has", d.Binding)
	return b.String()
}

func form(b *strings.Builder, title string, fields []provider.Field) {
	if len(fields) == 0 {
		return
	}
	fmt.Fprintf(b, "\n| %s | | |\n|---|---|---|\n", title)
	for _, f := range fields {
		is := []string{f.Type}
		if len(f.Options) > 0 {
			is[0] = strings.Join(f.Options, ", ")
		}
		if f.Required {
			is = append(is, "required")
		}
		if f.Secret {
			is = append(is, "secret")
		}
		if f.Default != "" {
			is = append(is, "default `"+f.Default+"`")
		}
		help := f.Label.En
		if f.Help.En != "" {
			help += ": " + f.Help.En
		}
		fmt.Fprintf(b, "| `%s` | %s | %s |\n", f.Name, cell(strings.Join(is, "; ")), cell(help))
	}
}

// cell keeps a text within its cell.
func cell(s string) string { return strings.NewReplacer("|", `\|`, "\n", " ").Replace(s) }

func channelsOf(d provider.Descriptor) string {
	names := make([]string, len(d.Channels))
	for i, c := range d.Channels {
		names[i] = string(c)
	}
	if len(names) > 5 {
		return "all"
	}
	return strings.Join(names, ", ")
}

func addressesOf(d provider.Descriptor) string {
	var kinds []string
	for _, c := range d.Channels {
		info, _ := c.Info()
		kind := string(info.Address)
		if d.Own != nil && c == d.Own.Name {
			kind = "such as " + d.Own.Example
		}
		if !slices.Contains(kinds, kind) {
			kinds = append(kinds, kind)
		}
	}
	return strings.Join(kinds, ", ")
}

func limitsOf(l provider.Limits) string {
	var out []string
	for _, x := range []struct {
		n    int
		unit string
	}{{l.PerSecond, "a second"}, {l.PerMinute, "a minute"}, {l.PerDay, "a day"}, {l.Concurrency, "at once"}, {l.Payload, "bytes in a request"},
		{l.Recipient.PerMinute, "a minute to one recipient"}, {l.Recipient.PerHour, "an hour to one recipient"}, {l.Recipient.PerDay, "a day to one recipient"}} {
		if x.n > 0 {
			out = append(out, fmt.Sprintf("%d %s", x.n, x.unit))
		}
	}
	if len(out) == 0 {
		return "none documented"
	}
	return fmt.Sprintf("%s ([source](%s))", strings.Join(out, ", "), l.Source)
}

func heardOf(d provider.Descriptor) string {
	switch {
	case !d.Receipts:
		return "–"
	case d.Polls == nil:
		return "pushed"
	case d.Polls.Switch != "":
		return "pushed, polled"
	}
	return "polled"
}

func receiptsOf(d provider.Descriptor) string {
	if !d.Receipts {
		return "none: `sent` is the last that is known"
	}
	by := "by our id"
	if d.ReceiptsByID {
		by = "by the vendor's id"
	}
	out := heardOf(d) + ", " + by
	if p := d.Polls; p != nil {
		about := "for what is new"
		if p.Of == provider.OfMessage {
			about = fmt.Sprintf("about each message, first after %d s, up to %d s,", p.After, p.Until)
		}
		out += fmt.Sprintf("; asked %s every %d s", about, p.Every)
		if p.Switch != "" {
			out += ", if the account's `" + p.Switch + "` is true"
		}
	}
	return out
}

func suppressesOf(d provider.Descriptor) []string {
	var out []string
	for code, why := range d.Suppresses {
		out = append(out, "`"+code+"` ("+why+")")
	}
	slices.SortFunc(out, cmp.Compare[string])
	return out
}

func tick(b bool) string {
	if b {
		return "yes"
	}
	return "–"
}
