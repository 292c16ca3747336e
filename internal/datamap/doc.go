// Package datamap owns the second file of a tenant, datamap.yaml: where a person's data lie, whose row is whose,
// and what happens to each when a right is carried out.
//
// It is pure. Parse reads the file and names every fault with file, line and column. Catalog is what a live
// database says about itself (a connector fills it in); Coverage holds the map against a Catalog by
// reachability: what reaches a person and is not covered is an error. Explain draws the ownership graph, Infer
// proposes a first map.
//
// Who owns a row is decided here and nowhere else; how it is asked in SQL is the connector's.
package datamap
