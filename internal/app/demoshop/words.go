package demoshop

import (
	"embed"
	"strings"
)

//go:embed words/*.txt
var wordFiles embed.FS

// words are the lists that rows are made from, one file each under words/.
type words struct {
	given, family, messages, notes, browsers []string
	countries, products, tickets, reviews    [][]string // fields of a line, split at |
	places                                   []place
}

type place struct {
	city, country, postcode string // postcode: each # a digit, each @ a letter
	streets                 []string
}

func readWords() words {
	w := words{
		given:     strings.Fields(strings.Join(lines("given"), " ")),
		family:    strings.Fields(strings.Join(lines("family"), " ")),
		messages:  lines("messages"),
		notes:     lines("notes"),
		browsers:  lines("browsers"),
		countries: fields("countries"),
		products:  fields("products"),
		tickets:   fields("tickets"),
		reviews:   fields("reviews"),
	}
	for _, f := range fields("places") {
		w.places = append(w.places, place{f[0], f[1], f[2], strings.Split(f[3], ";")})
	}
	return w
}

// lines gives the lines of a list, without those that begin with #.
func lines(name string) []string {
	text, err := wordFiles.ReadFile("words/" + name + ".txt")
	if err != nil {
		panic("demoshop: " + err.Error()) // embedded at build time: not there means a wrong build
	}
	var out []string
	for line := range strings.Lines(string(text)) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
			out = append(out, line)
		}
	}
	return out
}

func fields(name string) [][]string {
	var out [][]string
	for _, line := range lines(name) {
		out = append(out, strings.Split(line, "|"))
	}
	return out
}
