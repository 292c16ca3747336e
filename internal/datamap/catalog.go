package datamap

// Catalog is what a live database says about itself. A connector fills it in; Coverage, Infer and the
// connector's own query builder read it. Table names are written as a map writes them: bare in the default
// schema (PostgreSQL: the first of Schemas.Include, else `public`; MySQL: the database; SQLite: main), else
// `schema.table`. Partitions are folded into their parent; views are listed but never written.
type Catalog struct {
	Kind   Kind
	Tables []CatalogTable // sorted by name
}

// CatalogTable is one table or view.
type CatalogTable struct {
	Name         string // as a map writes it
	Schema       string
	Bare         string // the name inside its schema
	View         bool
	Materialized bool // a view that keeps a copy of its rows
	Partitioned  bool
	Parent       string // the table from which it inherits (PostgreSQL): its rows are read through that one
	Columns      []CatalogColumn
	PrimaryKey   []string
	Unique       [][]string
	Indexes      [][]string // leading columns of every index, primary key and unique ones among them
	ForeignKeys  []ForeignKey
	Triggers     []Trigger
	Checks       []Check
	Rows         int64 // an estimate; -1 when unknown
}

// Trigger is what the database does by itself when rows of a table change.
type Trigger struct {
	Name    string
	Event   string // insert, update or delete: when it runs
	Deletes bool   // it may delete rows
}

// Check is a rule that the database holds values of a column to.
type Check struct {
	Name   string
	Column string
	Expr   string // as the database writes it
}

// CatalogColumn is one column.
type CatalogColumn struct {
	Name      string
	Type      string // as the database names it: `character varying(60)`, `numeric(10,2)`
	Length    int    // most characters of a text; 0: no bound
	Nullable  bool
	Generated bool // computed by the database: never written
	Identity  bool
	Default   bool
	Enum      []string
	Folded    Folded // how an index serves look-ups that ignore the case of ASCII letters
}

// Folded is the form of a case-ignoring comparison that an index on the column serves.
type Folded string

// The forms. Without one, such a look-up reads the whole table.
const (
	FoldedNot   Folded = ""
	FoldedLower Folded = "lower" // lower(column), in the column's own collation
	FoldedBytes Folded = "bytes" // lower(column COLLATE "C")
	FoldedPlain Folded = "plain" // the column itself, whose type or collation ignores case
)

// ForeignKey is a declared reference.
type ForeignKey struct {
	Name       string
	Columns    []string
	RefTable   string // as a map writes it
	RefColumns []string
	OnDelete   string // no action, restrict, cascade, set null, set default
	Deferrable bool
}

// Table finds a table by its name.
func (c *Catalog) Table(name string) (*CatalogTable, bool) {
	for i := range c.Tables {
		if c.Tables[i].Name == name {
			return &c.Tables[i], true
		}
	}
	return nil, false
}

// Column finds a column by its name.
func (t *CatalogTable) Column(name string) (*CatalogColumn, bool) {
	for i := range t.Columns {
		if t.Columns[i].Name == name {
			return &t.Columns[i], true
		}
	}
	return nil, false
}
