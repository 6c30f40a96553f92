package driver

import (
	"context"
	"sync/atomic"
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
