// Package artifacts keeps weights, inputs and outputs that are too large for the chain: a content-addressed store, an HTTP server
// for it, and a fetcher that looks among peers.
//
// Everything is named by its content id (CIDv1, raw, sha2-256; model.CIDOf), so nobody has to be trusted: bytes are hashed when they
// are put, when they arrive from a peer and when they are read back.
//
//	store, err := artifacts.Open(ctx, "file:///var/lib/poaid/artifacts", artifacts.DefaultMaxBytes)
//	cid, n, err := store.Put(ctx, file)
//	http.ListenAndServe(addr, artifacts.NewServer(store, artifacts.ServerOptions{}))   // GET /artifacts/{cid}
//	err = artifacts.NewFetcher(store, peers, artifacts.FetchOptions{}).Ensure(ctx, cid, limit)
//
// # Reading the source
//
// store.go (Put, Get), server.go (serve), fetch.go (Ensure, fromPeer).
package artifacts
