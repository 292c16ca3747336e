package dsr

import (
	"fmt"
	"strings"
)

// Diagram draws the lifecycle table as a Mermaid state diagram, in the order of Statuses and Events.
func Diagram() string {
	var b strings.Builder
	b.WriteString("stateDiagram-v2\n    [*] --> received\n")
	for _, from := range Statuses() {
		for _, e := range Events() {
			if to, ok := lifecycle[from][e]; ok {
				fmt.Fprintf(&b, "    %s --> %s: %s\n", from, to, e)
			}
		}
		if from.Final() {
			fmt.Fprintf(&b, "    %s --> [*]\n", from)
		}
	}
	return b.String()
}
