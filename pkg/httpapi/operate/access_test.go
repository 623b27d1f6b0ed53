package operate_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/opennotify/notify/pkg/httpapi"
	"github.com/opennotify/notify/pkg/httpapi/openapi"
	"github.com/opennotify/notify/pkg/tenant"
)

// access is who may do what, by operation: every operation is here.
const access = `
                      send read operate admin
checkSuppression      .    .    x       x
checkTemplateBinding  .    .    x       x
createKey             .    .    .       x
deleteAccount         .    .    .       x
deleteEndpoint        .    .    x       x
deleteRecipe          .    .    .       x
deleteRoute           .    .    x       x
deleteTemplateBinding .    .    x       x
deleteTemplate        .    .    x       x
deleteTenant          .    .    .       x
deleteUser            .    .    .       x
diffTemplate          .    x    x       x
eraseRecipient        .    .    .       x
getAccount            .    .    x       x
getEndpoint           .    x    x       x
getKey                .    .    x       x
getProvider           .    .    x       x
getRecipe             .    .    x       x
getRedrive            .    .    x       x
getRoute              .    .    x       x
getSettings           .    .    x       x
getTemplate           .    x    x       x
getTemplateBinding    .    x    x       x
getTemplateVersion    .    x    x       x
getTenant             .    x    x       x
getTenantUsage        .    x    x       x
listAccountHistory    .    .    x       x
listAccounts          .    .    x       x
listAudit             .    .    x       x
listDeadLetters       .    .    x       x
listEndpointHistory   .    x    x       x
listEndpoints         .    x    x       x
listErasures          .    .    .       x
listKeys              .    .    x       x
listProviders         .    .    x       x
listRecipeHistory     .    .    x       x
listRecipes           .    .    x       x
listRedrives          .    .    x       x
listRouteHistory      .    .    x       x
listRoutes            .    .    x       x
listSettingsHistory   .    .    x       x
listSuppressions      .    .    x       x
listTemplateBindings  .    x    x       x
listTemplateHistory   .    x    x       x
listTemplateVersions  .    x    x       x
listTemplates         .    x    x       x
listTenantHistory     .    x    x       x
listTenants           .    x    x       x
listUserHistory       .    .    .       x
listUsers             .    .    .       x
previewTemplate       .    x    x       x
publishTemplate       .    .    x       x
putAccount            .    .    .       x
putEndpoint           .    .    x       x
putRecipe             .    .    .       x
putRoute              .    .    x       x
putSettings           .    .    x       x
putTemplateBinding    .    .    x       x
putTemplate           .    .    x       x
putTenant             .    .    .       x
putUser               .    .    .       x
redriveDeadLetters    .    .    x       x
retryDeadLetter       .    .    x       x
revealRecipient       .    .    .       x
revokeKey             .    .    .       x
rotateEndpoint        .    .    x       x
shareTemplate         .    .    x       x
simulateRoute         .    .    x       x
stopRedrive           .    .    x       x
suppress              .    .    x       x
switchAccount         .    .    x       x
testAccount           .    .    x       x
undoRoute             .    .    x       x
unsuppress            .    .    x       x
`

// request is a well-formed request for an operation, whatever becomes of it.
func request(e httpapi.Endpoint) (path, body string) {
	path = strings.NewReplacer("{tenant}", "shop", "{name}", "nothing", "{version}", "1", "{account}", "nothing", "{id}", "msg_"+strings.Repeat("0", 51)).Replace(e.Op.Path)
	for i, p := range e.Op.Query {
		if p.Required {
			path += map[bool]string{true: "?", false: "&"}[i == 0 || !strings.Contains(path, "?")] + p.Name + "=1"
		}
	}
	if e.In != nil {
		body = "{}"
	}
	return path, body
}

// TestAccess plays every operation with every scope, over HTTP and in the use case, which does not trust
// the mount.
func TestAccess(t *testing.T) {
	t.Parallel()
	b := setup(t)
	endpoints := b.endpoints()
	var ids []string
	for _, e := range endpoints {
		ids = append(ids, e.Op.ID)
		may := row(t, e.Op.ID)
		path, body := request(e)
		for _, key := range []string{"", "none", "send", "read", "operate", "admin"} {
			want := slices.Contains(may, key)
			w := b.do(key, e.Op.Method, path, body)
			switch refused := w.Code == http.StatusUnauthorized || w.Code == http.StatusForbidden; {
			case refused == want, key == "" && w.Code != http.StatusUnauthorized, w.Code >= 500:
				t.Errorf("%s with the key %q: %d %s", e.Op.ID, key, w.Code, w.Body)
			}
		}
	}
	if lines := strings.Count(access, "\n") - 2; lines != len(ids) {
		t.Errorf("%d operations, %d rows", len(ids), lines)
	}
	if slices.Sort(ids); len(slices.Compact(slices.Clone(ids))) != len(ids) {
		t.Errorf("an id is there twice: %v", ids)
	}
}

func row(t *testing.T, id string) []string {
	t.Helper()
	for line := range strings.SplitSeq(access, "\n") {
		if f := strings.Fields(line); len(f) == 5 && f[0] == id {
			var may []string
			for i, scope := range []string{"send", "read", "operate", "admin"} {
				if f[i+1] == "x" {
					may = append(may, scope)
				}
			}
			return may
		}
	}
	t.Fatalf("%s has no row", id)
	return nil
}

// TestOnlyOwn: a reader's tenant is all that it knows of.
func TestOnlyOwn(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for path, want := range map[string]int{
		"/v1/tenants/shop": 200, "/v1/tenants/shop/history": 200, "/v1/tenants/bank": 404, "/v1/tenants/bank/history": 404,
	} {
		if w := b.do("read", "GET", path, ""); w.Code != want {
			t.Errorf("%s: %d, want %d", path, w.Code, want)
		}
	}
	// A key without a tenant and without operate sees nothing at all.
	b.key(t, "stray", "", tenant.Read)
	for _, path := range []string{"/v1/tenants", "/v1/templates"} {
		if w := b.do("stray", "GET", path, ""); w.Code != 200 || strings.TrimSpace(w.Body.String()) != `{"items":[]}` {
			t.Errorf("%s: %d %s", path, w.Code, w.Body)
		}
	}
}

func TestOpenAPI(t *testing.T) {
	t.Parallel()
	b := setup(t)
	endpoints := b.endpoints()
	doc, err := openapi.Document(openapi.Info{Title: "x", Version: "1"}, endpoints)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range endpoints {
		if !strings.Contains(string(doc), `"operationId": "`+e.Op.ID+`"`) {
			t.Errorf("%s is not described", e.Op.ID)
		}
		// A recipient never stands in a URL.
		if strings.Contains(e.Op.Path, "address") || slices.ContainsFunc(e.Op.Query, func(p httpapi.Param) bool { return p.Name == "address" }) {
			t.Errorf("%s has an address in its URL", e.Op.ID)
		}
	}
}
