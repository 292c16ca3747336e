package main

import "fmt"

// size says how large a generated shop is. One invoice in ten is the heavy person's, spread evenly over the table;
// every invoice has four lines.
type size struct {
	name  string
	heavy int // invoices of the heavy person
}

const (
	heavyID    = 1
	heavyEmail = "heavy@shop.example"
	products   = 3500
)

func (s size) customers() int { return s.heavy / 2 }
func (s size) invoices() int  { return 10 * s.heavy }
func (s size) lines() int     { return 4 * s.invoices() }
func (s size) rows() int      { return s.customers() + s.invoices() + s.lines() + products }

// heavyRows is how many rows are the heavy person's: itself, its invoices and their lines.
func (s size) heavyRows() int64 { return int64(1 + 5*s.heavy) }

// light is a person like any other: about ninety rows.
func (s size) light() string { return fmt.Sprintf("customer%d@shop.example", s.customers()/2) }

// sizeOf gives a size by its name.
func sizeOf(name string) (size, bool) {
	for _, s := range []size{{"full", 200_000}, {"tenth", 20_000}, {"small", 2_000}} {
		if s.name == name {
			return s, true
		}
	}
	return size{}, false
}
