//go:build !race

package sandbox

// transfers is how many transfers each worker of the bank makes.
const transfers = 50
