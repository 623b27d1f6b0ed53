package recipes_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/opennotify/notify/pkg/message"
	"github.com/opennotify/notify/pkg/provider"
	"github.com/opennotify/notify/pkg/provider/providertest"
	"github.com/opennotify/notify/pkg/provider/recipe"
	"github.com/opennotify/notify/pkg/template"
	"github.com/opennotify/notify/recipes"
)

// answering keeps the last request's body, and answers each alike.
type answering struct {
	answer string
	body   []byte
}

func (a *answering) RoundTrip(r *http.Request) (*http.Response, error) {
	a.body = nil
	if r.Body != nil {
		a.body, _ = io.ReadAll(r.Body)
	}
	return &http.Response{StatusCode: 200, Header: http.Header{}, Body: io.NopCloser(bytes.NewReader([]byte(a.answer))), Request: r}, nil
}

// TestParameters: whatever the variables, their types and their order at the vendor, each parameter is the
// text that the variable has in our own rendering, which is the one that is kept.
func TestParameters(t *testing.T) {
	t.Parallel()
	data, err := recipes.FS().(interface{ ReadFile(string) ([]byte, error) }).ReadFile("tencent-sms/recipe.yaml")
	if err != nil {
		t.Fatal(err)
	}
	r, err := recipe.Parse("tencent-sms/recipe.yaml", data)
	if err != nil {
		t.Fatal(err)
	}
	vendor := &answering{answer: `{"Response":{"SendStatusSet":[{"SerialNo":"1","Code":"Ok"}]}}`}
	e, _ := providertest.Env(t)
	e.Client = &http.Client{Transport: vendor}
	sender, err := r.Open(provider.Account{Name: "a", Provider: "tencent-sms", Channel: message.SMS,
		Config:  map[string]string{"secret_id": "i", "sdk_app_id": "1400006666", "region": "ap-guangzhou"},
		Secrets: map[string]message.Secret{"secret_key": "k"}}, e)
	if err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(t *rapid.T) {
		made := template.Template{Name: "n", Tenant: "shop", Class: message.OTP}
		vars, order := map[string]any{}, []string{}
		for i := range rapid.IntRange(1, 6).Draw(t, "variables") {
			v := template.Variable{Name: "v" + strconv.Itoa(i), Type: rapid.SampledFrom([]string{"string", "number", "boolean"}).Draw(t, "type"), Optional: rapid.Bool().Draw(t, "optional")}
			made.Variables = append(made.Variables, v)
			order = append(order, v.Name)
			if v.Optional && rapid.Bool().Draw(t, "absent") {
				continue
			}
			switch v.Type {
			case "string":
				vars[v.Name] = rapid.StringMatching(`[a-z0-9 ,=&"'{}$你好]{0,12}`).Draw(t, "text")
			case "boolean":
				vars[v.Name] = rapid.Bool().Draw(t, "truth")
			default:
				vars[v.Name] = json.Number(rapid.OneOf(rapid.StringMatching(`-?(0|[1-9][0-9]{0,15})`), rapid.StringMatching(`-?[1-9][0-9]{18,19}`),
					rapid.StringMatching(`-?(0|[1-9][0-9]{0,5})\.[0-9]{1,6}`),
					rapid.StringMatching(`[1-9](\.[0-9]{1,3})?[eE][+-]?1?[0-9]`)).Draw(t, "number"))
			}
		}
		order = rapid.Permutation(order).Draw(t, "order")
		order = order[:rapid.IntRange(1, len(order)).Draw(t, "of them")]
		locale := func(i int) string { return "en-A" + string(rune('A'+i)) }
		for i, name := range order { // each rendered alone
			made.Variants = append(made.Variants, template.Variant{Channel: message.SMS, Locale: locale(i), Text: "<{{" + name + "}}>"})
		}
		c, faults := template.Compile(made)
		if len(faults) > 0 || len(c.Check(vars)) > 0 {
			t.Skip(faults)
		}
		want := []string{}
		for i := range order {
			content, _, err := c.Render(message.SMS, locale(i), vars)
			if err != nil {
				t.Fatal(err)
			}
			want = append(want, strings.TrimSuffix(strings.TrimPrefix(content.Text, "<"), ">"))
		}
		res := sender.Send(t.Context(), provider.Call{To: "+8613711112222", Vars: c.Complete(vars),
			Binding: map[string]string{"template_id": "449739", "params": strings.Join(order, ",")}})
		var sent struct {
			TemplateID       string `json:"TemplateId"`
			TemplateParamSet []string
		}
		if err := json.Unmarshal(vendor.body, &sent); err != nil || res.Outcome != message.Accepted {
			t.Fatalf("%v %+v", err, res)
		}
		if diff := cmp.Diff(want, sent.TemplateParamSet); diff != "" || sent.TemplateID != "449739" {
			t.Fatalf("order %v of %v (-rendered +sent):\n%s", order, vars, diff)
		}
	})
}
