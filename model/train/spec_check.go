package train

import (
	"fmt"
	"math"
	"path"
	"slices"

	"poaid/engine/nn"
)

// Bounds of a spec. The engine's limits and the memory of the run hold on top.
const (
	maxSteps   = 1 << 24
	maxBatch   = 1 << 16
	maxWidth   = 1 << 20
	maxLayers  = 256
	maxList    = 64
	maxClasses = 256
	maxText    = 4096
)

// What the fields of choice may be.
var (
	architectures = []string{"mlp", "cnn", "llama", "program"}
	formats       = []string{"npy", "idx", "csv", "text"}
	losses        = []string{"cross_entropy", "mse"}
	optimizers    = []string{"sgd", "momentum", "adam"}
	schedules     = []string{"constant", "linear", "cosine", "stairs"}
	tokenizers    = []string{"chars", "bpe", "file"}
	types         = []string{"f32", "u8"}
)

func orText(p *string, v string) {
	if *p == "" {
		*p = v
	}
}

func orNumber[T int | int64 | float64](p *T, v T) {
	if *p == 0 {
		*p = v
	}
}

// setDefaults fills in what was left out.
func (s *Spec) setDefaults() {
	m, d, o := &s.Model, &s.Data, &s.Optimizer
	orText(&s.Name, "model")
	orText(&s.Loss, "cross_entropy")
	orText(&d.Type, "f32")
	orText(&o.Schedule.Kind, "constant")
	orText(&s.Package.Input, "x")
	orNumber(&o.Schedule.Factor, 0.5)
	orNumber(&s.Evaluate.Batch, s.Batch)
	orNumber(&s.Evaluate.Every, max(s.Steps/20, 1))
	orNumber(&s.Checkpoint.Every, max(s.Steps/10, 1))
	orNumber(&s.Checkpoint.Keep, 3)
	orNumber(&d.Scale, 1)
	if d.LabelColumn == nil {
		last := int64(-1)
		d.LabelColumn = &last
	}
	orText(&o.Kind, "adam")
	switch o.Kind {
	case "adam":
		orNumber(&o.Beta1, 0.9)
		orNumber(&o.Beta2, 0.999)
		orNumber(&o.Epsilon, 1e-8)
		orNumber(&o.Rate, 0.001)
	case "momentum":
		orNumber(&o.Momentum, 0.9)
	}
	if m.Architecture == "llama" {
		if m.TiedOutput == nil {
			tied := true
			m.TiedOutput = &tied
		}
		orNumber(&m.KVHeads, m.Heads)
		orNumber(&m.InitStd, 0.02)
		orText(&d.Tokenizer.Kind, "chars")
	}
}

// check is every rule that does not need the data.
func (s *Spec) check() error {
	c := checker{}
	c.text("name", s.Name, 128)
	c.whole("steps", s.Steps, 1, maxSteps)
	c.whole("batch", s.Batch, 1, maxBatch)
	c.whole("threads", int64(s.Threads), 0, 4096)
	c.choice("loss", s.Loss, losses)
	c.whole("evaluate.every", s.Evaluate.Every, 1, maxSteps)
	c.whole("evaluate.batch", s.Evaluate.Batch, 1, maxBatch)
	c.whole("checkpoint.every", s.Checkpoint.Every, 1, maxSteps)
	c.whole("checkpoint.keep", int64(s.Checkpoint.Keep), 1, 1<<20)
	c.text("package.input", s.Package.Input, 64)
	c.model(s)
	c.data(s)
	c.optimizer(s)
	return c.err
}

// checker keeps the first error.
type checker struct{ err error }

func (c *checker) fail(format string, args ...any) {
	if c.err == nil {
		c.err = fmt.Errorf(format, args...)
	}
}

func (c *checker) whole(name string, v, lo, hi int64) {
	if v < lo || v > hi {
		c.fail("%s: %d, want %d to %d", name, v, lo, hi)
	}
}

// number wants a finite value that is a number to float32 too.
func (c *checker) number(name string, v, lo, hi float64) {
	if math.IsNaN(v) || v < lo || v > hi {
		c.fail("%s: %v, want %v to %v", name, v, lo, hi)
	}
}

func (c *checker) choice(name, v string, of []string) {
	if !slices.Contains(of, v) {
		c.fail("%s: %.40q, want one of %v", name, v, of)
	}
}

func (c *checker) text(name, v string, limit int) {
	if v == "" || len(v) > limit {
		c.fail("%s: %d bytes, want 1 to %d", name, len(v), limit)
	}
	for i := range len(v) {
		if v[i] < ' ' || v[i] > '~' {
			c.fail("%s: want visible ASCII", name)
		}
	}
}

func (c *checker) list(name string, v []int64, least int) {
	if len(v) < least || len(v) > maxList {
		c.fail("%s: %d numbers, want %d to %d", name, len(v), least, maxList)
		return
	}
	for i, n := range v {
		c.whole(fmt.Sprintf("%s[%d]", name, i), n, 1, maxWidth)
	}
}

// unset refuses a field that the spec's choices do not use, so that nobody believes it does something.
func (c *checker) unset(name string, set bool, why string) {
	if set {
		c.fail("%s: is not used with %s", name, why)
	}
}

func (c *checker) model(s *Spec) {
	m := s.Model
	c.choice("model.architecture", m.Architecture, architectures)
	arch := m.Architecture
	why := "architecture " + arch
	if arch != "mlp" && arch != "cnn" {
		c.unset("model.hidden", len(m.Hidden) > 0, why)
	}
	if arch != "cnn" {
		c.unset("model.filters", len(m.Filters) > 0, why)
	}
	if arch != "llama" {
		c.unset("model.dim", m.Dim != 0, why)
		c.unset("model.feed_forward", m.FeedForward != 0, why)
		c.unset("model.layers", m.Layers != 0, why)
		c.unset("model.heads", m.Heads != 0, why)
		c.unset("model.kv_heads", m.KVHeads != 0, why)
		c.unset("model.tied_output", m.TiedOutput != nil, why)
		c.unset("model.init_std", m.InitStd != 0, why)
	}
	if arch != "llama" && (arch != "program" || s.Data.Format != "text") {
		c.unset("model.context", m.Context != 0, why)
	}
	if arch != "program" {
		c.unset("model.path", m.Path != "", why)
		c.unset("model.weights", m.Weights != "", why)
		c.unset("model.input", m.Input != "", why)
		c.unset("model.output", m.Output != "", why)
		c.unset("model.probabilities", m.Probabilities, why)
		c.unset("model.rows", m.Rows != 0, why)
	}
	switch arch {
	case "mlp":
		c.list("model.hidden", m.Hidden, 0)
	case "cnn":
		c.list("model.filters", m.Filters, 1)
		if len(m.Hidden) != 1 {
			c.fail("model.hidden: %d numbers, want the one width of a cnn's hidden layer", len(m.Hidden))
		}
		c.list("model.hidden", m.Hidden, 1)
	case "llama":
		c.llama(m)
	case "program":
		c.program(s)
	}
	if len(m.Freeze) > maxList {
		c.fail("model.freeze: %d patterns, limit %d", len(m.Freeze), maxList)
	}
	for i, p := range m.Freeze {
		if _, err := path.Match(p, ""); err != nil {
			c.fail("model.freeze[%d]: %.40q: %w", i, p, err)
		}
	}
}

func (c *checker) llama(m ModelSpec) {
	c.whole("model.dim", m.Dim, 2, 1<<15)
	c.whole("model.feed_forward", m.FeedForward, 1, 1<<17)
	c.whole("model.layers", int64(m.Layers), 1, maxLayers)
	c.whole("model.heads", m.Heads, 1, 1<<8)
	c.whole("model.kv_heads", m.KVHeads, 1, 1<<8)
	c.whole("model.context", m.Context, 2, 1<<16)
	c.number("model.init_std", m.InitStd, 1e-6, 10)
	if c.err == nil && (m.Dim%m.Heads != 0 || m.Dim/m.Heads%2 != 0) {
		c.fail("model.heads: %d, must divide dim %d into even parts", m.Heads, m.Dim)
	}
	if c.err == nil && m.Heads%m.KVHeads != 0 {
		c.fail("model.kv_heads: %d, must divide heads %d", m.KVHeads, m.Heads)
	}
}

func (c *checker) program(s *Spec) {
	m := s.Model
	if m.Path == "" {
		c.fail("model.path: missing: a package's folder, zoo:NAME or a graph file")
	}
	c.whole("model.rows", m.Rows, 0, maxBatch)
	if s.Data.Format == "text" {
		c.whole("model.context", m.Context, 0, 1<<16)
		c.unset("model.input", m.Input != "", "text")
		c.unset("model.output", m.Output != "", "text")
		return
	}
	if m.Input == "" || m.Output == "" {
		c.fail("model.input, model.output: missing: which input takes the samples and which output gives the logits")
	}
	if m.Probabilities && s.Loss == "mse" {
		c.fail("model.probabilities: is not used with loss mse")
	}
	if m.Rows > 0 && (s.Batch%m.Rows != 0 || s.Evaluate.Batch%m.Rows != 0) {
		c.fail("batch, evaluate.batch: %d and %d, want multiples of model.rows %d", s.Batch, s.Evaluate.Batch, m.Rows)
	}
}

func (c *checker) data(s *Spec) {
	d, m := s.Data, s.Model
	c.choice("data.format", d.Format, formats)
	why := "format " + d.Format
	if c.err == nil && (d.Format == "text") != (m.Architecture == "llama") && m.Architecture != "program" {
		c.fail("data.format: %s, which is not what a %s is trained on", d.Format, m.Architecture)
	}
	c.number("data.held_back", d.HeldBack, 0, 0.9)
	c.number("data.scale", d.Scale, 1e-6, 1e6)
	c.choice("data.type", d.Type, types)
	if d.Format == "csv" || d.Format == "text" {
		if d.Path == "" {
			c.fail("data.path: missing")
		}
		c.unset("data.inputs", d.Inputs != "", why)
		c.unset("data.labels", d.Labels != "", why)
	} else {
		c.unset("data.path", d.Path != "", why)
		if d.Inputs == "" || d.Labels == "" {
			c.fail("data.inputs, data.labels: missing")
		}
	}
	if d.Format == "text" {
		c.textData(s)
		return
	}
	c.unset("data.separator", d.Separator != "", why)
	c.unset("data.tokenizer", d.Tokenizer != TokenizerSpec{}, why)
	c.list("data.shape", d.Shape, 0)
	c.whole("data.classes", d.Classes, 0, maxClasses)
	c.whole("data.targets", d.Targets, 0, 1024)
	c.whole("data.label_column", *d.LabelColumn, -1<<20, 1<<20)
	if m.Architecture == "program" {
		c.unset("data.scale", d.Scale != 1, "architecture program, whose input takes the numbers as they are")
	}
	if s.Loss == "mse" {
		c.unset("data.classes", d.Classes != 0, "loss mse")
	} else {
		c.unset("data.targets", d.Targets != 0, "loss cross_entropy")
	}
}

// textData checks the fields of a text.
func (c *checker) textData(s *Spec) {
	d, t := s.Data, s.Data.Tokenizer
	c.unset("data.shape", len(d.Shape) > 0, "format text")
	c.unset("data.scale", d.Scale != 1, "format text")
	c.unset("loss", s.Loss == "mse", "format text")
	if len(d.Separator) > maxText {
		c.fail("data.separator: %d bytes, limit %d", len(d.Separator), maxText)
	}
	if s.Model.Architecture == "program" {
		c.unset("data.tokenizer", t != TokenizerSpec{}, "architecture program: the package has its own")
		return
	}
	c.choice("data.tokenizer.kind", t.Kind, tokenizers)
	switch t.Kind {
	case "bpe":
		c.whole("data.tokenizer.vocab", int64(t.Vocab), 260, 1<<16)
	case "file":
		if t.Path == "" {
			c.fail("data.tokenizer.path: missing")
		}
	}
	if t.Kind != "bpe" {
		c.unset("data.tokenizer.vocab", t.Vocab != 0, "kind "+t.Kind)
	}
	if t.Kind != "file" {
		c.unset("data.tokenizer.path", t.Path != "", "kind "+t.Kind)
	}
}

func (c *checker) optimizer(s *Spec) {
	o, sc := s.Optimizer, s.Optimizer.Schedule
	c.choice("optimizer.kind", o.Kind, optimizers)
	c.number("optimizer.rate", o.Rate, 1e-12, 1e6)
	why := "kind " + o.Kind
	if o.Kind == "momentum" {
		c.number("optimizer.momentum", o.Momentum, 1e-6, 1)
	} else {
		c.unset("optimizer.momentum", o.Momentum != 0, why)
	}
	if o.Kind == "adam" {
		c.number("optimizer.beta1", o.Beta1, 0, 0.9999999)
		c.number("optimizer.beta2", o.Beta2, 0, 0.9999999)
		c.number("optimizer.epsilon", o.Epsilon, 1e-30, 1)
		c.number("optimizer.decay", o.Decay, 0, 100)
	} else {
		c.unset("optimizer.beta1", o.Beta1 != 0, why)
		c.unset("optimizer.beta2", o.Beta2 != 0, why)
		c.unset("optimizer.epsilon", o.Epsilon != 0, why)
		c.unset("optimizer.decay", o.Decay != 0, why)
	}
	c.number("optimizer.clip_norm", o.ClipNorm, 0, 1e12)
	c.choice("optimizer.schedule.kind", sc.Kind, schedules)
	c.whole("optimizer.schedule.warmup", sc.Warmup, 0, max(s.Steps, 0))
	c.number("optimizer.schedule.final", sc.Final, 0, 1)
	c.number("optimizer.schedule.factor", sc.Factor, 1e-6, 1)
	if sc.Kind == "stairs" {
		c.whole("optimizer.schedule.every", sc.Every, 1, maxSteps)
	} else {
		c.unset("optimizer.schedule.every", sc.Every != 0, "schedule "+sc.Kind)
	}
}

// schedule is the nn form of the spec's.
func (o OptimizerSpec) schedule() nn.Schedule {
	kinds := map[string]nn.Decay{"constant": nn.Constant, "linear": nn.Linear, "cosine": nn.Cosine, "stairs": nn.Stairs}
	sc := o.Schedule
	return nn.Schedule{Decay: kinds[sc.Kind], Warmup: sc.Warmup, Final: float32(sc.Final), Every: sc.Every, Factor: float32(sc.Factor)}
}

// optimizer is the nn form of the spec's.
func (o OptimizerSpec) optimizer() nn.Optimizer {
	switch o.Kind {
	case "adam":
		return nn.Adam{Beta1: float32(o.Beta1), Beta2: float32(o.Beta2), Eps: float32(o.Epsilon), Decay: float32(o.Decay)}
	case "momentum":
		return nn.SGD{Momentum: float32(o.Momentum)}
	}
	return nn.SGD{}
}
