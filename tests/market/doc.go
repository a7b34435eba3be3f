// Package market holds tests of how tasks find their workers, on the whole chain.
package market
