// Package nn builds programs for package engine: a graph builder with shape inference, gradients from graph to graph,
// optimisers, sampling, and the architectures that poaid ships (MLP, CNN, llama), as inference, generation and training
// programs.
//
// # Building
//
//	b := nn.NewBuilder(maxSteps)
//	w := b.Weight("w", engine.F32, 10, 64)
//	x := b.Input("x", engine.F32, 1, 64)
//	y := b.State("y", engine.F32, 1, 10)
//	g := b.Step()
//	g.Update(y, g.Softmax(g.Linear(x, w), false))
//	b.Output(y)
//	prog, err := b.Build(engine.DefaultLimits())
//
// A Value is a handle with dtype and shape; the first error is kept and returned by Build. Equal nodes are merged and
// unread ones dropped, both in a fixed order, so the same calls give the same program hash.
//
// # Macros and gradients
//
// Softmax, LogSoftmax, CrossEntropy, RMSNorm, LayerNorm, BatchNorm, Attention, SwiGLU, Sample and those of
// macro_import.go (powers, reductions over several axes, global pools, leaky activations, TopK) only append ordinary nodes.
// Graph.Grad appends the gradient of a scalar loss. Macros carry their own rule, written in terms of their named
// inner nodes; every other op has a rule in vjp.go.
//
// # Programs
//
//	Llama(cfg, lim)            text generation with caches, sampling, logprobs and a stop token
//	LlamaTrainer(cfg, t, lim)  next-token training on a token array
//	Classifier(net, lim)       one step: x → logits, class
//	ClassifierTrainer(net, t, lim)
//
// where net is an MLP or a CNN. Weights have fixed names, see LlamaConfig.Params and Net.Params; trained parameters
// leave a run as states of the same names.
//
// # Reading the source
//
// Graph.Node (inference, merging), macro.go, Graph.Grad, sample.go, Llama, LlamaTrainer.
package nn
