package api

// List is a page of a list. NextCursor is null on the last page.
type List[T any] struct {
	Items      []T     `json:"items"`
	NextCursor *string `json:"next_cursor"`
}

// Health is the answer of /healthz and /readyz.
type Health struct {
	Status string `json:"status"` // ok, ready
}
