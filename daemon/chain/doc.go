// Package chain connects a daemon to a node: typed queries that follow cursors to the end, the heights as they come, and a sender
// that turns many small items (seals, reveals) into few transactions and knows what became of each.
//
//	client, err := chain.Dial(chain.Config{Nodes: []string{"tcp://127.0.0.1:26657"}, Encoding: enc})
//	err = client.EachAssigned(ctx, worker, func(v taskstypes.TaskView) error { … })
//	for h := range client.Heights(ctx) { … }                       // coalesced: a slow reader sees the newest
//	sender := chain.NewSender(client, signer, chain.SenderConfig{…})
//	sender.Enqueue(chain.SealResult(worker, task, seal, deadline))
//
// Nothing here is remembered over a restart. What was sent and what was not is decided by the state of the chain: the daemons read it
// before they send, and a transaction whose fate is unknown is settled by the signer's committed sequence, or by its timeout height.
//
// # Reading the source
//
// client.go (Dial, failover), watch.go (Heights), sender.go (Run, send), settle.go (settle), item.go (batches to messages).
package chain
