// Package train trains models from one readable file, on the deterministic engine: the same spec and the same data give the same bits
// on any machine, with any number of threads, interrupted or not.
//
// A Spec (YAML or JSON, see docs/training.md) becomes a Job: a program whose state is the parameters, the optimiser and the record of
// losses, weights that hold the starting values, the data and the learning rate of every step, and programs that measure on data held
// back and run what was trained. A Session runs a Job: steps, measurements, checkpoints.
//
//	spec, err := train.ReadSpec("digits.yaml")
//	job, err := spec.Job()
//	s, err := job.Start(opts)            // or job.Resume(checkpoint, opts)
//	err = s.Run(ctx)                     // until the last step
//	pkg, err := s.Package()              // for `model run` and `model generate`
//
// # Checkpoints and segments
//
// A checkpoint is a safetensors file with every state by name; its metadata hold the step, the state root as package commit defines
// it, the program hash, the root of every weight and of the inputs, and the spec. Reading one recomputes the state root.
//
// The state root is what a task on a chain seals. Job.Advance goes from one checkpoint to another, and Segment names what was done:
// steps [From, To) from one state root to another, with the result root that a run of To steps from the start would have. Whoever holds
// the first checkpoint can do one segment again (Job.Verify) without doing what came before.
//
// # Reading the source
//
// Start with Spec (spec.go), Spec.Job (job.go), Session.Run (session.go), Checkpoint (checkpoint.go), Job.Advance (segment.go).
package train
