package httpapi

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/labstack/echo/v4"

	"github.com/habeas-data/habeas/internal/web/ui"
)

// The part of an OpenAPI document that the page for people shows, in the order of the document.
type (
	specDoc struct {
		Info struct {
			Description string `yaml:"description"`
		} `yaml:"info"`
		Tags []struct {
			Name        string `yaml:"name"`
			Description string `yaml:"description"`
		} `yaml:"tags"`
		Paths      yaml.MapSlice `yaml:"paths"`
		Components struct {
			Parameters map[string]specParam  `yaml:"parameters"`
			Responses  map[string]specAnswer `yaml:"responses"`
			Schemas    yaml.MapSlice         `yaml:"schemas"`
		} `yaml:"components"`
	}
	specParam struct {
		Ref         string     `yaml:"$ref"`
		Name        string     `yaml:"name"`
		In          string     `yaml:"in"`
		Required    bool       `yaml:"required"`
		Description string     `yaml:"description"`
		Schema      specSchema `yaml:"schema"`
	}
	specAnswer struct {
		Ref         string                 `yaml:"$ref"`
		Description string                 `yaml:"description"`
		Content     map[string]specContent `yaml:"content"`
	}
	specContent struct {
		Schema specSchema `yaml:"schema"`
	}
	specCall struct {
		Tags        []string    `yaml:"tags"`
		ID          string      `yaml:"operationId"`
		Summary     string      `yaml:"summary"`
		Description string      `yaml:"description"`
		Security    []yamlMap   `yaml:"security"`
		Parameters  []specParam `yaml:"parameters"`
		RequestBody struct {
			Required bool                   `yaml:"required"`
			Content  map[string]specContent `yaml:"content"`
		} `yaml:"requestBody"`
		Responses yaml.MapSlice `yaml:"responses"`
	}
	specSchema struct {
		Ref         string        `yaml:"$ref"`
		Type        any           `yaml:"type"`
		Format      string        `yaml:"format"`
		Enum        []string      `yaml:"enum"`
		Description string        `yaml:"description"`
		Required    []string      `yaml:"required"`
		Properties  yaml.MapSlice `yaml:"properties"`
		Items       *specSchema   `yaml:"items"`
		AnyOf       []specSchema  `yaml:"anyOf"`
	}
	yamlMap = map[string]any
)

// What the page shows.
type (
	docGroup struct {
		Name, About string
		Calls       []docCall
	}
	docCall struct {
		ID, Method, Path, Summary, About, Proof string
		Params                                  []docField
		Body, BodyID                            string
		Answers                                 []docAnswer
	}
	docAnswer struct{ Status, Text, Shape, ShapeID string }
	docField  struct{ Name, In, Shape, ShapeID, About string }
	docShape  struct {
		ID, About, Words string
		Fields           []docField
	}
	docBody struct {
		About  string
		Groups []docGroup
		Shapes []docShape
	}
)

func (a *door) docsPage(c echo.Context) error {
	body, err := a.docBody()
	if err != nil {
		return err
	}
	return a.docs.Render(c, http.StatusOK, "docs", ui.View{Lang: "en", Title: "The API of Habeas", Wide: true, Now: a.Now(), Body: body})
}

// readDocs turns the document into what the page shows. There is one source: what is not in it is not on the page.
func readDocs(raw []byte) (docBody, error) {
	var doc specDoc
	if err := yaml.UnmarshalWithOptions(raw, &doc, yaml.UseOrderedMap()); err != nil {
		return docBody{}, fmt.Errorf("reading openapi.yaml: %w", err)
	}
	body := docBody{About: doc.Info.Description}
	for _, t := range doc.Tags {
		body.Groups = append(body.Groups, docGroup{Name: t.Name, About: t.Description})
	}
	for _, p := range doc.Paths {
		methods, _ := p.Value.(yaml.MapSlice)
		for _, m := range methods {
			if m.Key == "parameters" {
				continue
			}
			var call specCall
			if err := convert(m.Value, &call); err != nil {
				return docBody{}, err
			}
			out, err := doc.call(fmt.Sprint(p.Key), fmt.Sprint(m.Key), call)
			if err != nil {
				return docBody{}, err
			}
			i := slices.IndexFunc(body.Groups, func(g docGroup) bool { return slices.Contains(call.Tags, g.Name) })
			if i >= 0 {
				body.Groups[i].Calls = append(body.Groups[i].Calls, out)
			}
		}
	}
	for _, s := range doc.Components.Schemas {
		var schema specSchema
		if err := convert(s.Value, &schema); err != nil {
			return docBody{}, err
		}
		shape, err := shapeOf(fmt.Sprint(s.Key), schema)
		if err != nil {
			return docBody{}, err
		}
		body.Shapes = append(body.Shapes, shape)
	}
	return body, nil
}

func (doc specDoc) call(path, method string, in specCall) (docCall, error) {
	out := docCall{ID: in.ID, Method: strings.ToUpper(method), Path: path, Summary: in.Summary, About: in.Description, Proof: "a token"}
	switch {
	case in.Security != nil && len(in.Security) == 0:
		out.Proof = "none"
	case len(in.Security) > 0:
		out.Proof = "the person's access_token"
	}
	for _, p := range in.Parameters {
		if name, ok := strings.CutPrefix(p.Ref, "#/components/parameters/"); ok {
			p = doc.Components.Parameters[name]
		}
		shape, id := p.Schema.words()
		out.Params = append(out.Params, docField{Name: p.Name, In: p.In, Shape: shape, ShapeID: id, About: p.Description})
	}
	for _, content := range in.RequestBody.Content {
		out.Body, out.BodyID = content.Schema.words()
		if !in.RequestBody.Required {
			out.Body += ", may be left out"
		}
	}
	for _, r := range in.Responses {
		var answer specAnswer
		if err := convert(r.Value, &answer); err != nil {
			return out, err
		}
		if name, ok := strings.CutPrefix(answer.Ref, "#/components/responses/"); ok {
			answer = doc.Components.Responses[name]
		}
		a := docAnswer{Status: fmt.Sprint(r.Key), Text: answer.Description}
		for media, content := range answer.Content {
			if a.Shape, a.ShapeID = content.Schema.words(); !strings.Contains(media, "json") {
				a.Shape, a.ShapeID = media, ""
			}
		}
		out.Answers = append(out.Answers, a)
	}
	return out, nil
}

func shapeOf(name string, s specSchema) (docShape, error) {
	out := docShape{ID: name, About: s.Description}
	if len(s.Properties) == 0 {
		out.Words, _ = s.words()
	}
	for _, p := range s.Properties {
		var field specSchema
		if err := convert(p.Value, &field); err != nil {
			return out, err
		}
		f := docField{Name: fmt.Sprint(p.Key), About: field.Description}
		f.Shape, f.ShapeID = field.words()
		if !slices.Contains(s.Required, f.Name) {
			f.In = "may be left out"
		}
		out.Fields = append(out.Fields, f)
	}
	return out, nil
}

// words says a schema in words, with the name of the shape to link to.
func (s specSchema) words() (text, id string) {
	switch {
	case s.Ref != "":
		name := strings.TrimPrefix(s.Ref, "#/components/schemas/")
		switch name {
		case "MaybeText":
			return "text or null", ""
		case "MaybeDate":
			return "day or null", ""
		case "MaybeInstant":
			return "time or null", ""
		}
		return name, name
	case len(s.AnyOf) > 0:
		text, id = s.AnyOf[0].words()
		if len(s.AnyOf) > 1 {
			text += " or null"
		}
		return text, id
	case len(s.Enum) > 0:
		return strings.Join(s.Enum, ", "), ""
	case s.Items != nil:
		text, id = s.Items.words()
		return "list of " + text, id
	case s.Properties != nil:
		for _, p := range s.Properties {
			var items specSchema
			if p.Key == "items" && convert(p.Value, &items) == nil {
				return items.words() // a page of a list
			}
		}
		return "object", ""
	}
	text = strings.Trim(fmt.Sprint(s.Type), "[]")
	if s.Format != "" {
		text += " (" + s.Format + ")"
	}
	return strings.ReplaceAll(text, " null", " or null"), ""
}

// convert reads a part of the document that was kept in its order.
func convert(from, to any) error {
	raw, err := yaml.Marshal(from)
	if err == nil {
		err = yaml.UnmarshalWithOptions(raw, to, yaml.UseOrderedMap())
	}
	if err != nil {
		return fmt.Errorf("reading openapi.yaml: %w", err)
	}
	return nil
}
