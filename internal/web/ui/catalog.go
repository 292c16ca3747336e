package ui

import (
	"embed"
	"encoding/json"
	"fmt"
	"strings"
)

//go:embed lang/*.json
var langFiles embed.FS

// Languages lists the languages of the pages, the default first.
func Languages() []string { return []string{"en", "es", "de", "fr"} }

// LanguageName gives a language's own name.
func LanguageName(code string) string {
	switch code {
	case "en":
		return "English"
	case "es":
		return "Español"
	case "de":
		return "Deutsch"
	case "fr":
		return "Français"
	}
	return code
}

// Catalog holds the texts of the pages by language and key.
type Catalog map[string]map[string]string

// LoadCatalog reads the embedded texts.
func LoadCatalog() (Catalog, error) {
	c := make(Catalog)
	for _, lang := range Languages() {
		raw, err := langFiles.ReadFile("lang/" + lang + ".json")
		if err != nil {
			return nil, fmt.Errorf("reading texts: %w", err)
		}
		texts := make(map[string]string)
		if err := json.Unmarshal(raw, &texts); err != nil {
			return nil, fmt.Errorf("reading texts of %s: %w", lang, err)
		}
		c[lang] = texts
	}
	return c, nil
}

// Has tells whether there is a text in that very language.
func (c Catalog) Has(lang, key string) bool {
	_, ok := c[lang][key]
	return ok
}

// T gives a text with its {placeholders} filled from pairs of name and value. A text that is missing in a language is
// that of English; one that is missing everywhere is its key.
func (c Catalog) T(lang, key string, pairs ...any) string {
	text, ok := c[lang][key]
	if !ok {
		if text, ok = c["en"][key]; !ok {
			return key
		}
	}
	if len(pairs) == 0 {
		return text
	}
	old := make([]string, 0, len(pairs))
	for i := 0; i+1 < len(pairs); i += 2 {
		old = append(old, "{"+fmt.Sprint(pairs[i])+"}", fmt.Sprint(pairs[i+1]))
	}
	return strings.NewReplacer(old...).Replace(text)
}
