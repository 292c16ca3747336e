package notify

import (
	"bytes"
	"fmt"
	"strings"
)

// block is one paragraph of a letter's HTML.
type block struct {
	Kind  string // paragraph, list, link, code, quote
	Lines []string
}

// pageData is what the layout shows.
type pageData struct {
	Lang, Subject, Controller string
	Blocks                    []block
}

// page makes the HTML of a letter from its text: the same paragraphs, nothing more.
func page(p *Phrases, d Data, l Letter) (string, error) {
	var b bytes.Buffer
	err := layout().Execute(&b, pageData{Lang: p.Lang(), Subject: l.Subject, Controller: d.Controller, Blocks: blocks(l.Text, d)})
	if err != nil {
		return "", fmt.Errorf("laying out a letter: %w", err)
	}
	return b.String(), nil
}

// blocks parts a letter's text. Lines of one paragraph that are of different kinds become blocks of their own.
func blocks(text string, d Data) []block {
	var out []block
	fresh := true
	for line := range strings.SplitSeq(strings.TrimSpace(text), "\n") {
		if line == "" {
			fresh = true
			continue
		}
		kind := "paragraph"
		switch {
		case strings.HasPrefix(line, quotePrefix):
			kind, line = "quote", strings.TrimPrefix(line, quotePrefix)
		case line == d.Link || line == d.StatusURL:
			kind = "link"
		case d.Code != "" && line == d.Code:
			kind = "code"
		case strings.HasPrefix(line, "- "):
			kind, line = "list", strings.TrimPrefix(line, "- ")
		}
		// An empty line within quoted words is a paragraph of theirs and no end of the quotation.
		if n := len(out); n > 0 && out[n-1].Kind == kind && (!fresh || kind == "quote") {
			if fresh {
				out[n-1].Lines = append(out[n-1].Lines, "")
			}
			out[n-1].Lines = append(out[n-1].Lines, line)
		} else {
			out = append(out, block{Kind: kind, Lines: []string{line}})
		}
		fresh = false
	}
	return out
}
