package api

// Endpoint is an address of the product that gets our events.
type Endpoint struct {
	ID        string   `json:"id"`
	URL       string   `json:"url"`
	Events    []string `json:"events"`
	Disabled  bool     `json:"disabled"`
	CreatedAt *string  `json:"created_at"`
	Secret    string   `json:"secret,omitempty"` // shown once: when it is made
}

// NewEndpoint registers an endpoint. Without events it gets all.
type NewEndpoint struct {
	URL    string   `json:"url"`
	Events []string `json:"events"`
}

// Delivery is one event on its way to one endpoint; without its body.
type Delivery struct {
	ID         string  `json:"id"`
	Endpoint   string  `json:"endpoint"`
	Event      string  `json:"event"`
	State      string  `json:"state"`
	Attempts   int     `json:"attempts"`
	NextAt     *string `json:"next_at"`
	SentAt     *string `json:"sent_at"`
	LastStatus *int    `json:"last_status"` // null: no answer
	LastError  *string `json:"last_error"`
	CreatedAt  *string `json:"created_at"`
}

// Redelivery names the delivery to send again.
type Redelivery struct {
	Delivery string `json:"delivery"`
}

// Source is a system that sends us events.
type Source struct {
	ID        string  `json:"id"`
	Name      string  `json:"name"`
	Disabled  bool    `json:"disabled"`
	CreatedAt *string `json:"created_at"`
	Secret    string  `json:"secret,omitempty"` // shown once: when it is made
}

// NewSource registers a source by its name, which is part of the address it sends to.
type NewSource struct {
	Name string `json:"name"`
}
