package runner

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"poaid/engine"
	"poaid/model"
	"poaid/model/inputs"
)

// ErrNoText is returned by Generate for a model that does not write text token by token.
var ErrNoText = errors.New("model does not generate text")

// Stats say what a generation did. ResultRoot is the root that a task with the same inputs and steps comes to.
type Stats struct {
	PromptTokens int
	NewTokens    int
	Steps        uint64
	// Prompt is the time until the prompt was read, Decode that of the tokens after it.
	Prompt, Decode time.Duration
	Result         *engine.Result
}

// PerSecond gives new tokens a second of decoding, 0 when there were too few to tell.
func (s Stats) PerSecond() float64 {
	if s.Decode <= 0 || s.NewTokens < 2 {
		return 0
	}
	return float64(s.NewTokens-1) / s.Decode.Seconds() // the first came with the prompt
}

// Prompt makes the inputs of a generation. Without a prompt the text begins from nothing.
func (m *Model) Prompt(w inputs.Wants) (inputs.Built, error) {
	if _, err := m.textOutput(); err != nil {
		return inputs.Built{}, err
	}
	if in := m.Program.ForcedInput(); w.Prompt == "" && in != "" && !given(w.Inputs, in) {
		bos, ok := m.Tokenizer.BOS()
		if !ok {
			return inputs.Built{}, errors.New("prompt: is empty, and the tokenizer has no token that begins a text")
		}
		w.Inputs = append(slices.Clone(w.Inputs), fmt.Sprintf("%s=[%d]", in, bos))
	}
	return inputs.Build(m.Program.Proto(), m.Tokenizer, w)
}

// given tells whether an input is among name=VALUE.
func given(args []string, name string) bool {
	return slices.ContainsFunc(args, func(a string) bool { return strings.HasPrefix(a, name+"=") })
}

// Generate runs a text model step by step and writes each token's text as it comes; characters are written whole.
func (m *Model) Generate(ctx context.Context, b inputs.Built, w io.Writer, o Options) (*Stats, error) {
	out, err := m.textOutput()
	if err != nil {
		return nil, err
	}
	in, err := m.bind(b.ByName(), o)
	if err != nil {
		return nil, err
	}
	run, err := engine.NewRun(m.Program, m.Weights, in, engine.RunOptions{Threads: o.Threads})
	if err != nil {
		return nil, err
	}
	tokens, count := run.State(out.Name), run.State(out.CountOutput)
	s := &Stats{PromptTokens: int(b.PromptRows), Steps: b.Steps} // #nosec G115 -- rows of a tensor in memory
	stream := &textStream{w: w, tok: m.Tokenizer, prev: lastToken(b, m.Program.ForcedInput())}
	start := time.Now()
	for run.T() < b.Steps {
		if err := advance(ctx, run, b.Steps); err != nil {
			return nil, err
		}
		// The run may not trust the program: a count is only followed as far as there are tokens.
		n := min(count.I64()[0], tokens.Len())
		for ; int64(s.NewTokens) < n; s.NewTokens++ {
			if s.NewTokens == 0 {
				s.Prompt = time.Since(start)
			}
			if err := stream.token(tokens.I64()[s.NewTokens]); err != nil {
				return nil, err
			}
		}
	}
	s.Decode = time.Since(start) - s.Prompt
	if err := stream.flush(); err != nil {
		return nil, err
	}
	s.Result, err = run.Result()
	return s, err
}

// advance does one step, some of the prompt's at once, or all that are left once the run has stopped: every further one is the identity.
func advance(ctx context.Context, run *engine.Run, steps uint64) error {
	if run.Stopped() != 0 {
		return run.SetStates(steps, run.States())
	}
	_, err := run.Advance(ctx, steps-run.T())
	return err
}

// textOutput finds the output that holds tokens and checks that it and its count are what Generate reads.
func (m *Model) textOutput() (model.Output, error) {
	if m.Meta == nil || m.Tokenizer == nil {
		return model.Output{}, fmt.Errorf("%w: %s has no tokenizer", ErrNoText, m.Name)
	}
	states := map[string]engine.StateSpec{}
	for _, s := range m.Program.StateSpecs() {
		states[s.Name] = s
	}
	for _, o := range m.Meta.Outputs {
		if o.Render != model.RenderTokens || o.CountOutput == "" {
			continue
		}
		tokens, count := states[o.Name], states[o.CountOutput]
		if tokens.DType != engine.I64 || len(tokens.Shape) != 1 || count.DType != engine.I64 || len(count.Shape) != 1 {
			return model.Output{}, fmt.Errorf("%w: outputs %s and %s of %s: want i64 [n] and i64 [1]", ErrNoText, o.Name, o.CountOutput, m.Name)
		}
		return o, nil
	}
	return model.Output{}, fmt.Errorf("%w: no output of %s is rendered as tokens with a count", ErrNoText, m.Name)
}

// lastToken gives the last token of the prompt, after which the first new one is written.
func lastToken(b inputs.Built, prompt string) int32 {
	if t := b.ByName()[prompt]; t != nil && t.Len() > 0 && t.I64() != nil {
		return toIDs(t.I64()[t.Len()-1:])[0]
	}
	return model.TokenUnknown
}

// textStream writes the text of tokens. Bytes of a character that has not ended yet wait for the next token.
type textStream struct {
	w    io.Writer
	tok  *model.Tokenizer
	prev int32
	wait []byte
}

func (s *textStream) token(id int64) error {
	t := toIDs([]int64{id})[0]
	s.wait = append(s.wait, s.tok.Piece(s.prev, t)...)
	s.prev = t
	n := 0
	for n < len(s.wait) && utf8.FullRune(s.wait[n:]) {
		_, size := utf8.DecodeRune(s.wait[n:])
		n += size
	}
	return s.write(n)
}

func (s *textStream) flush() error { return s.write(len(s.wait)) }

func (s *textStream) write(n int) error {
	if n == 0 {
		return nil
	}
	text := string([]rune(string(s.wait[:n]))) // bytes that are no character become the replacement character
	s.wait = append(s.wait[:0], s.wait[n:]...)
	_, err := io.WriteString(s.w, text)
	return err
}
