package oversee

import (
	"context"
	"regexp"
	"slices"

	"github.com/habeas-data/habeas/internal/access"
	"github.com/habeas-data/habeas/internal/fault"
	"github.com/habeas-data/habeas/internal/store"
	"github.com/habeas-data/habeas/internal/webhook"
)

var sourceForm = regexp.MustCompile(`^[a-z][a-z0-9-]{0,62}$`)

// Endpoints lists where events go, without secrets.
func (s *Service) Endpoints(ctx context.Context, p access.Principal) (out []store.Endpoint, err error) {
	err = s.read(ctx, p, access.WebhookRead, func(tx *store.Tx) (err error) {
		out, err = tx.ListEndpoints()
		for i := range out {
			out[i].Secrets = nil
		}
		return err
	})
	return out, err
}

// AddEndpoint subscribes an address to events ("*" is all); the answer holds the secret, once.
func (s *Service) AddEndpoint(ctx context.Context, p access.Principal, url string, events []string) (store.Endpoint, error) {
	var faults []fault.Field
	if err := webhook.CheckURL(url, s.allowPrivate); err != nil {
		msg := "this address can't be used"
		if e, ok := fault.As(err); ok {
			msg = e.Message
		}
		faults = append(faults, fault.Field{Name: "url", Message: msg})
	}
	if len(events) == 0 {
		events = []string{"*"}
	}
	for _, e := range events {
		if e != "*" && !slices.Contains(webhook.EventNames(), e) {
			faults = append(faults, fault.Field{Name: "events", Message: "there is an event that does not exist; known are * and those of the documentation"})
			break
		}
	}
	if err := fault.BadInput(faults); err != nil {
		return store.Endpoint{}, err
	}
	out := store.Endpoint{URL: url, Events: events, Secrets: []string{webhook.NewSecret()}}
	err := s.write(ctx, p, access.WebhookManage, func(tx *store.Tx, act store.Act) (err error) {
		out.CreatedAt = tx.Now
		out.ID, err = tx.PutEndpoint(out, act)
		return err
	})
	return out, err
}

// RemoveEndpoint ends a subscription.
func (s *Service) RemoveEndpoint(ctx context.Context, p access.Principal, id string) error {
	return s.write(ctx, p, access.WebhookManage, func(tx *store.Tx, act store.Act) error {
		return tx.DeleteEndpoint(id, act)
	})
}

// RotateEndpoint puts a new secret beside the old one: both sign until the next rotation. The answer holds the new one.
func (s *Service) RotateEndpoint(ctx context.Context, p access.Principal, id string) (store.Endpoint, error) {
	var out store.Endpoint
	secret := webhook.NewSecret()
	err := s.write(ctx, p, access.WebhookManage, func(tx *store.Tx, act store.Act) (err error) {
		if err := tx.RotateEndpointSecret(id, secret, act); err != nil {
			return err
		}
		out, err = tx.Endpoint(id)
		out.Secrets = []string{secret}
		return err
	})
	return out, err
}

// Deliveries lists what went to an endpoint, newest first.
func (s *Service) Deliveries(ctx context.Context, p access.Principal, endpoint, cursor string, limit int) (out []store.Delivery, next string, err error) {
	err = s.read(ctx, p, access.WebhookRead, func(tx *store.Tx) (err error) {
		if _, err := tx.Endpoint(endpoint); err != nil {
			return err
		}
		out, next, err = tx.ListDeliveries(endpoint, limit, cursor)
		return err
	})
	return out, next, err
}

// Redeliver sends a delivery again, under the same webhook-id.
func (s *Service) Redeliver(ctx context.Context, p access.Principal, endpoint, delivery string) error {
	return s.write(ctx, p, access.WebhookManage, func(tx *store.Tx, act store.Act) error {
		d, err := tx.Delivery(delivery)
		if err != nil {
			return err
		}
		if endpoint != "" && d.Endpoint != endpoint {
			return fault.New(fault.NotFound, "unknown_delivery", "There is no such delivery.")
		}
		return tx.Redeliver(delivery, act)
	})
}

// Sources lists the systems that send us events, without secrets.
func (s *Service) Sources(ctx context.Context, p access.Principal) (out []store.Source, err error) {
	err = s.read(ctx, p, access.WebhookRead, func(tx *store.Tx) (err error) {
		out, err = tx.ListSources()
		for i := range out {
			out[i].Secrets = nil
		}
		return err
	})
	return out, err
}

// AddSource lets a system send us events; the answer holds the secret, once.
func (s *Service) AddSource(ctx context.Context, p access.Principal, name string) (store.Source, error) {
	if !sourceForm.MatchString(name) {
		return store.Source{}, fault.BadInput([]fault.Field{{Name: "name", Message: "use lower case letters, digits and hyphens, beginning with a letter"}})
	}
	out := store.Source{Name: name, Secrets: []string{webhook.NewSecret()}}
	err := s.write(ctx, p, access.WebhookManage, func(tx *store.Tx, act store.Act) (err error) {
		if _, err := tx.Source(name); err == nil {
			return fault.New(fault.Conflict, "name_taken", "There is a source of that name already.")
		}
		out.CreatedAt = tx.Now
		out.ID, err = tx.PutSource(out, act)
		return err
	})
	return out, err
}

// RemoveSource lets a system send no more.
func (s *Service) RemoveSource(ctx context.Context, p access.Principal, id string) error {
	return s.write(ctx, p, access.WebhookManage, func(tx *store.Tx, act store.Act) error {
		src, err := sourceByID(tx, id)
		if err != nil {
			return err
		}
		src.Disabled, src.Secrets = true, nil
		_, err = tx.PutSource(src, act)
		return err
	})
}

// RotateSource puts a new secret beside the old one: both count until the next rotation.
func (s *Service) RotateSource(ctx context.Context, p access.Principal, id string) (store.Source, error) {
	secret := webhook.NewSecret()
	var out store.Source
	err := s.write(ctx, p, access.WebhookManage, func(tx *store.Tx, act store.Act) error {
		src, err := sourceByID(tx, id)
		if err != nil {
			return err
		}
		src.Secrets = append([]string{secret}, src.Secrets...)
		src.Secrets = src.Secrets[:min(2, len(src.Secrets))]
		if _, err := tx.PutSource(src, act); err != nil {
			return err
		}
		out = src
		out.Secrets = []string{secret}
		return nil
	})
	return out, err
}

func sourceByID(tx *store.Tx, id string) (store.Source, error) {
	all, err := tx.ListSources()
	if err != nil {
		return store.Source{}, err
	}
	for _, src := range all {
		if src.ID == id {
			return src, nil
		}
	}
	return store.Source{}, fault.New(fault.NotFound, "unknown_source", "There is no such source.")
}
