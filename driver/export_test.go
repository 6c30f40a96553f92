package driver

import (
	"context"
	"sync/atomic"
	"time"
)

// CountClients counts the BigQuery clients that the connector makes from now on.
func CountClients(c *Connector) *atomic.Int64 {
	var n atomic.Int64
	make := c.newClient
	c.newClient = func(ctx context.Context) (*client, error) {
		n.Add(1)
		return make(ctx)
	}
	return &n
}

// PauseWith replaces the pauses before requests are made again, in the clients that the
// connector makes from now on.
func PauseWith(c *Connector, pause func(time.Duration) time.Duration) {
	make := c.newClient
	c.newClient = func(ctx context.Context) (*client, error) {
		cl, err := make(ctx)
		if err == nil {
			cl.pause = pause
		}
		return cl, err
	}
}

// ReplaceRefused makes the connector's tokens ones that can be replaced; refused is told of
// each that BigQuery refused.
func ReplaceRefused(c *Connector, refused func(accessToken string)) { c.tokens.invalidate = refused }

// ScalarTypes returns the names of the scalar BigQuery types.
func ScalarTypes() []string {
	names := make([]string, len(scalars))
	for i := range scalars {
		names[i] = scalars[i].name
	}
	return names
}

// DialOf is dialOf.
var DialOf = dialOf

// VanishedAfter is how long the transport for REST takes to notice that its network has vanished.
func VanishedAfter() time.Duration {
	h := newTransport(network{}).HTTP2
	return h.SendPingTimeout + h.PingTimeout
}

// EndQuotaPeriod makes the connector request several pages at a time again. It returns when it would have done so.
func EndQuotaPeriod(c *Connector) (end time.Time, err error) {
	cl, err := c.clientFor(context.Background())
	if err == nil {
		if at := cl.crowd.alone.Swap(nil); at != nil {
			end = *at
		}
	}
	return end, err
}

// QuickAnswer replaces the time within which an answer is one of a fast network.
func QuickAnswer(c *Connector, d time.Duration) {
	make := c.newClient
	c.newClient = func(ctx context.Context) (*client, error) {
		cl, err := make(ctx)
		if err == nil && cl.crowd != nil {
			cl.crowd.quick = d
		}
		return cl, err
	}
}
