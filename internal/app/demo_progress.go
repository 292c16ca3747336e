package app

import (
	"fmt"
	"io"
	"strings"
)

// progress prints what the demo does: plain lines, aligned.
type progress struct {
	w     io.Writer
	color bool
}

const (
	inGreen = "\x1b[32m"
	inRed   = "\x1b[31m"
	inBold  = "\x1b[1m"
	inGray  = "\x1b[90m"
	inPlain = "\x1b[0m"

	labelWidth = 22
)

func (p *progress) paint(s, color string) string {
	if !p.color {
		return s
	}
	return color + s + inPlain
}

func (p *progress) print(s string) { _, _ = fmt.Fprintln(p.w, s) }

func (p *progress) title(format string, args ...any) {
	p.print("\n" + p.paint(fmt.Sprintf(format, args...), inBold))
}

// did tells of a step that held.
func (p *progress) did(label, format string, args ...any) {
	p.print("  " + p.paint("✓", inGreen) + " " + pad(label, labelWidth) + fmt.Sprintf(format, args...))
}

// broke tells of the step that did not hold.
func (p *progress) broke(label string, err error) {
	p.print("  " + p.paint("✗", inRed) + " " + pad(label, labelWidth) + err.Error())
}

// line tells something that is no step.
func (p *progress) line(label, format string, args ...any) {
	p.print("    " + pad(label, labelWidth) + fmt.Sprintf(format, args...))
}

func (p *progress) note(format string, args ...any) {
	p.print("    " + p.paint(fmt.Sprintf(format, args...), inGray))
}

// table prints rows below a step, numbers to the right in the column that begins with #.
func (p *progress) table(rows [][]string) {
	widths := map[int]int{}
	for _, row := range rows {
		for i, cell := range row {
			widths[i] = max(widths[i], len([]rune(cell)))
		}
	}
	for _, row := range rows {
		var b strings.Builder
		b.WriteString("        ")
		for i, cell := range row {
			if isNumber(cell) {
				b.WriteString(strings.Repeat(" ", widths[i]-len(cell)) + cell + "  ")
			} else {
				b.WriteString(pad(cell, widths[i]+2))
			}
		}
		p.print(p.paint(strings.TrimRight(b.String(), " "), inGray))
	}
}

func isNumber(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }

func pad(s string, width int) string {
	if n := len([]rune(s)); n < width {
		return s + strings.Repeat(" ", width-n)
	}
	return s + " "
}
