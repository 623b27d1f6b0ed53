package operate

import (
	"context"

	"github.com/opennotify/notify/pkg/config"
	"github.com/opennotify/notify/pkg/httpapi"
	"github.com/opennotify/notify/pkg/operate"
	"github.com/opennotify/notify/pkg/problem"
	"github.com/opennotify/notify/pkg/tenant"
)

// Recipes is what /v1/recipes needs.
type Recipes interface {
	Recipes(ctx context.Context, p tenant.Principal) ([]operate.Versioned[config.Recipe], error)
	Recipe(ctx context.Context, p tenant.Principal, name string, version int64) (operate.Versioned[config.Recipe], error)
	RecipeHistory(ctx context.Context, p tenant.Principal, name string) ([]operate.Versioned[config.Recipe], error)
	PutRecipe(ctx context.Context, p tenant.Principal, r config.Recipe, c operate.Change) (operate.Versioned[config.Recipe], error)
	DeleteRecipe(ctx context.Context, p tenant.Principal, name string, c operate.Change) error
}

// RecipeLine is a version of an uploaded recipe without its text.
type RecipeLine struct {
	Name string `json:"name" example:"mattermost"`
	Meta
}

// Recipe is an uploaded recipe: a provider in YAML, and perhaps a channel.
type Recipe struct {
	Name   string `json:"name"`
	Recipe string `json:"recipe" doc:"The text of a recipe.yaml."`
	Meta
}

// RecipeList is all uploaded recipes, or the versions of one.
type RecipeList struct {
	Items []RecipeLine `json:"items"`
}

// PutRecipe uploads a recipe, or a new version of one.
type PutRecipe struct {
	Recipe string `json:"recipe" doc:"The text of a recipe.yaml: two YAML documents, as docs/add-a-provider.md shows. At most 64 KB."`
	ChangeFields
}

func recipeLineOf(v operate.Versioned[config.Recipe]) RecipeLine {
	return RecipeLine{v.Body.Name, metaOf(v.Meta)}
}

func recipeOf(v operate.Versioned[config.Recipe]) Recipe {
	return Recipe{v.Body.Name, v.Body.Text, metaOf(v.Meta)}
}

func recipes(o Recipes) []httpapi.Endpoint {
	read := op(get, "recipes/{name}", "getRecipe", "Read an uploaded recipe", operators(), problem.NotFound)
	read.Query = []httpapi.Param{{Name: "version", Description: "An older version; the newest without it.", Example: "3"}}
	upload := op(put, "recipes/{name}", "putRecipe", "Upload a recipe: a provider, and a channel if it declares one, without a deploy", admins(), problem.Conflict, problem.NotAllowedNow)
	upload = making(upload)
	upload.Description = "It is checked like those that come with notify; each fault of the text names its line, as `line:12`. In force within 30 seconds everywhere."
	del := op(remove, "recipes/{name}", "deleteRecipe", "Delete an uploaded recipe that no account uses", admins(), problem.NotFound, problem.Conflict, problem.NotAllowedNow)
	del.Query = []httpapi.Param{versionParam, reasonParam}
	return []httpapi.Endpoint{
		httpapi.Route(op(get, "recipes", "listRecipes", "List the uploaded recipes", operators()),
			func(ctx context.Context, c *httpapi.Call, _ *struct{}) (*RecipeList, error) {
				items, err := many(recipeLineOf)(o.Recipes(ctx, c.Principal))
				return &RecipeList{items}, err
			}),
		httpapi.Route(read, func(ctx context.Context, c *httpapi.Call, _ *struct{}) (*Recipe, error) {
			version, err := c.Number("version", 0, 1, 1<<31-1)
			if err != nil {
				return nil, err
			}
			return one(recipeOf)(o.Recipe(ctx, c.Principal, c.Path("name"), int64(version)))
		}),
		httpapi.Route(op(get, "recipes/{name}/history", "listRecipeHistory", "List an uploaded recipe's versions, the newest first", operators(), problem.NotFound),
			func(ctx context.Context, c *httpapi.Call, _ *struct{}) (*RecipeList, error) {
				items, err := many(recipeLineOf)(o.RecipeHistory(ctx, c.Principal, c.Path("name")))
				return &RecipeList{items}, err
			}),
		httpapi.Route(upload, func(ctx context.Context, c *httpapi.Call, r *PutRecipe) (*Recipe, error) {
			v, err := o.PutRecipe(ctx, c.Principal, config.Recipe{Name: c.Path("name"), Text: r.Recipe}, r.change())
			made(c, r.Version, err)
			return one(recipeOf)(v, err)
		}),
		httpapi.Route(del, func(ctx context.Context, c *httpapi.Call, _ *struct{}) (*struct{}, error) {
			change, err := changeOf(c)
			if err == nil {
				err = o.DeleteRecipe(ctx, c.Principal, c.Path("name"), change)
			}
			return nil, err
		}),
	}
}
