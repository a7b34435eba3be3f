// Package engine evaluates deterministic tensor graphs: (program, weights, inputs, T) gives named states, bit for bit
// the same on every machine, with every number of threads. docs/engine.md is the definition; engine/num holds the
// scalar semantics and engine/kernel the tuned kernels, each equal to num bit for bit.
//
// # From bytes to a result
//
//	prog, err := engine.Decode(bz, engine.DefaultLimits())     // or engine.New(graphpbProgram, limits)
//	weights, err := engine.WeightsByName(prog, tensors)        // or engine.NewWeights, in the order of WeightSpecs
//	res, err := engine.Execute(ctx, prog, weights, inputs, T, engine.RunOptions{Threads: 2})
//	res.Output("tokens").I64()                                 // typed, zero-copy view
//
// Weights are checked once and shared by any number of runs. inputs is a map by name; inputs with a default may be left
// out. Tensors given to a run are only read. Execute is NewRun, T times Run.Step, and the roots; a caller that wants
// checkpoints, streaming of tokens or the tensors inside a step uses Run directly:
//
//	in, err := prog.BindInputs(inputs)
//	run, err := engine.NewRun(prog, weights, in, opts)
//	err = run.Step(ctx)                  // state_t -> state_t+1
//	run.State("tokens")                  // view, valid until the next step
//	err = run.Trace(ctx, fn)             // the same step, every node's tensor is shown to fn
//	err = run.SetStates(t, states)       // continue from a checkpoint
//
// # Cost
//
// prog.Units(cost, t, forced) is what step t costs and prog.TotalUnits the sum over a run; both come from the graph
// alone, with checked integers.
//
// # Judging one element
//
// Program.NodeAt gives a NodeView: an op with its operands' dtypes and shapes at step t. Its Slice names the ranges of
// the operands that one output element (LOCAL) or one range of fold steps (FOLD) needs, in stages, because a gather
// only learns its row by opening its index; EvalSlice computes the element, or the accumulator, from the opened
// ranges. Nothing else is needed, and nothing larger than what was asked for is ever touched. Judge does both, given a
// function that opens ranges. ReferenceStep evaluates whole steps in that way.
//
// # Reading the source
//
// program.go (Program), validate.go (what a valid program is), ops.go (Op and the table), op_matmul.go (a FOLD op),
// op_movement.go (LOCAL ops), run.go (Run.Step), plan.go (buffers and their lifetimes).
package engine
