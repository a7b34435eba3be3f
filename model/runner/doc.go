// Package runner runs models without a chain: it opens a package, a model of the zoo or a graph file written by hand, shows what it is,
// executes it to files and roots, streams generated text, and executes again what somebody claims to have executed.
//
//	m, err := runner.Open("zoo:story", "")                     // or a folder, or graph.json, graph.textproto, program.pb
//	b, err := inputs.Build(m.Program.Proto(), m.Tokenizer, inputs.Wants{Prompt: "Once upon a time", MaxTokens: 32})
//	res, receipt, err := m.Execute(ctx, b, runner.Options{})
//	stats, err := m.Generate(ctx, b, os.Stdout, runner.Options{})
//	claim, err := runner.ParseClaim(receiptJSON, nil)
//	verdict, err := m.Verify(ctx, claim, nil, runner.Options{})
//
// A graph file is poai.engine.v1.Program as JSON or as text format; docs/examples/graphs has some. Every size is bounded before it is
// allocated: a graph file of a few bytes cannot ask for memory that its inputs and weights do not justify (Options.MaxMemory).
//
// # Reading the source
//
// Open (open.go), ParseGraph (graph.go), Model.Execute (execute.go), Model.Generate (generate.go), ParseClaim and Model.Verify
// (claim.go, verify.go), Model.Inspect (inspect.go).
package runner
