//go:build race

package sandbox

// transfers is how many transfers each worker of the bank makes; the race detector is slow.
const transfers = 25
