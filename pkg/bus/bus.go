// Package bus is where events go beside the tenants' endpoints: an event bus of the installation, for
// whoever runs it. Buses live in folders of their own (eventbridge); one machine has none.
package bus

import "context"

// Event is a status of a message, as the endpoints get it.
type Event struct {
	ID     string // the same whenever the event is put again
	Type   string
	Detail []byte // JSON
}

// Bus takes events. Put says that they are kept; after an error some may be there already, and putting them
// again makes copies with the same ID.
type Bus interface {
	Put(ctx context.Context, events ...Event) error
}
