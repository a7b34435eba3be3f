package hf

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"

	"poaid/engine"
	"poaid/engine/nn"
)

// families are the values of model_type that are llamas: RMSNorm before each block, rotary positions, grouped-query attention, SwiGLU.
var families = map[string]bool{"llama": true, "mistral": true, "qwen2": true, "qwen3": true}

// config is config.json, as far as it says what is computed.
type config struct {
	ModelType   string  `json:"model_type"`
	Hidden      int64   `json:"hidden_size"`
	FeedForward int64   `json:"intermediate_size"`
	Layers      int64   `json:"num_hidden_layers"`
	Heads       int64   `json:"num_attention_heads"`
	KVHeads     *int64  `json:"num_key_value_heads"`
	HeadDim     *int64  `json:"head_dim"`
	Vocab       int64   `json:"vocab_size"`
	Positions   int64   `json:"max_position_embeddings"`
	Eps         float64 `json:"rms_norm_eps"`
	Theta       float64 `json:"rope_theta"`
	Tied        bool    `json:"tie_word_embeddings"`
	Activation  string  `json:"hidden_act"`
	Window      *int64  `json:"sliding_window"`
	// UseWindow is Qwen's: a window that is not used is there all the same.
	UseWindow    *bool           `json:"use_sliding_window"`
	Scaling      json.RawMessage `json:"rope_scaling"`
	Parameters   json.RawMessage `json:"rope_parameters"` // of newer files, in place of rope_theta and rope_scaling
	EOS          json.RawMessage `json:"eos_token_id"`
	Quantisation json.RawMessage `json:"quantization_config"`
}

// scaling stretches rotary positions.
type scaling struct {
	Type     string  `json:"rope_type"`
	OldType  string  `json:"type"`
	Theta    float64 `json:"rope_theta"`
	Factor   float64 `json:"factor"`
	Low      float64 `json:"low_freq_factor"`
	High     float64 `json:"high_freq_factor"`
	Original float64 `json:"original_max_position_embeddings"`
}

// limits of config.json's numbers.
const (
	maxDim       = 1 << 15
	maxHidden    = 1 << 18
	maxLayers    = 1 << 8
	maxHeads     = 1 << 9
	maxHeadDim   = 1 << 10
	maxVocab     = 1 << 20
	maxPositions = 1 << 24
)

func parseConfig(raw []byte) (*config, error) {
	c := &config{Eps: 1e-6, Theta: 10000, Activation: "silu", Positions: 2048}
	if err := json.Unmarshal(raw, c); err != nil {
		return nil, err
	}
	if !families[c.ModelType] {
		return nil, fmt.Errorf("model_type: %.40q; llama, mistral, qwen2 and qwen3 are supported", c.ModelType)
	}
	if c.KVHeads == nil {
		c.KVHeads = &c.Heads
	}
	if c.HeadDim == nil && c.Heads > 0 {
		d := c.Hidden / c.Heads
		c.HeadDim = &d
		if d*c.Heads != c.Hidden {
			return nil, fmt.Errorf("hidden_size: %d is not a multiple of num_attention_heads %d, and there is no head_dim", c.Hidden, c.Heads)
		}
	}
	for _, f := range []struct {
		name  string
		v     *int64
		limit int64
	}{
		{"hidden_size", &c.Hidden, maxDim},
		{"intermediate_size", &c.FeedForward, maxHidden},
		{"num_hidden_layers", &c.Layers, maxLayers},
		{"num_attention_heads", &c.Heads, maxHeads},
		{"num_key_value_heads", c.KVHeads, maxHeads},
		{"head_dim", c.HeadDim, maxHeadDim},
		{"vocab_size", &c.Vocab, maxVocab},
		{"max_position_embeddings", &c.Positions, maxPositions},
	} {
		if f.v == nil || *f.v < 1 || *f.v > f.limit {
			return nil, fmt.Errorf("%s: %s, want 1 to %d", f.name, show(f.v), f.limit)
		}
	}
	switch {
	case c.Heads%*c.KVHeads != 0:
		return nil, fmt.Errorf("num_attention_heads: %d is not a multiple of num_key_value_heads %d", c.Heads, *c.KVHeads)
	case *c.HeadDim%2 != 0:
		return nil, fmt.Errorf("head_dim: %d is odd", *c.HeadDim)
	case c.Activation != "silu":
		return nil, fmt.Errorf("hidden_act: %.40q, want silu", c.Activation)
	case !(c.Eps > 0 && c.Eps < 1):
		return nil, fmt.Errorf("rms_norm_eps: %g, want more than 0 and less than 1", c.Eps)
	case len(c.Quantisation) > 0 && string(c.Quantisation) != "null":
		return nil, errors.New("quantization_config: quantised weights are not supported; use the model's unquantised files")
	}
	return c, nil
}

func show(v *int64) string {
	if v == nil {
		return "not there"
	}
	return fmt.Sprint(*v)
}

// eos reads one id or a list.
func eosOf(raw json.RawMessage, vocab int64) ([]int64, error) {
	if len(raw) == 0 || string(raw) == "null" {
		return nil, nil
	}
	var list []int64
	if err := json.Unmarshal(raw, &list); err != nil {
		var id int64
		if err := json.Unmarshal(raw, &id); err != nil {
			return nil, fmt.Errorf("eos_token_id: %.40q, want an id or a list of ids", raw)
		}
		list = []int64{id}
	}
	if len(list) > 64 {
		return nil, fmt.Errorf("eos_token_id: %d ids, limit 64", len(list))
	}
	for _, id := range list {
		if id < 0 || id >= vocab {
			return nil, fmt.Errorf("eos_token_id: %d, want 0 to %d", id, vocab-1)
		}
	}
	return list, nil
}

// context is the number of positions: what is asked for, 0 for as many as the file has up to defaultContext, and no more than a sliding
// window spans, within which attention is the same.
func (c *config) context(asked int64) (int64, error) {
	most := c.Positions
	if c.Window != nil && *c.Window > 0 && (c.UseWindow == nil || *c.UseWindow) {
		most = min(most, *c.Window)
	}
	if asked == 0 {
		return min(most, defaultContext), nil
	}
	if asked < 1 || asked > most {
		return 0, fmt.Errorf("context: %d, want 1 to %d (max_position_embeddings, and sliding_window where one is used)", asked, most)
	}
	return asked, nil
}

// rope gives the rotary tables [ctx, head_dim/2].
func (c *config) rope(ctx int64) (cos, sin *engine.Tensor, err error) {
	s := scaling{Factor: 1}
	theta := c.Theta
	for _, raw := range []json.RawMessage{c.Scaling, c.Parameters} {
		if len(raw) == 0 || string(raw) == "null" {
			continue
		}
		if err := json.Unmarshal(raw, &s); err != nil {
			return nil, nil, fmt.Errorf("rope_scaling: %w", err)
		}
		if s.Theta != 0 {
			theta = s.Theta
		}
	}
	if !(theta > 0 && theta <= 1e15) {
		return nil, nil, fmt.Errorf("rope_theta: %g, want more than 0 and at most 1e15", theta)
	}
	if s.Type == "" {
		s.Type = s.OldType
	}
	stretch, err := s.stretch()
	if err != nil {
		return nil, nil, fmt.Errorf("rope_scaling: %w", err)
	}
	if stretch == nil {
		return nn.RopeTables(ctx, *c.HeadDim, theta)
	}
	half := *c.HeadDim / 2
	if cos, err = engine.NewTensor(engine.F32, []int64{ctx, half}, 1<<36); err != nil {
		return nil, nil, fmt.Errorf("rope tables: %w", err)
	}
	if sin, err = engine.NewTensor(engine.F32, []int64{ctx, half}, 1<<36); err != nil {
		return nil, nil, fmt.Errorf("rope tables: %w", err)
	}
	for i := range half {
		freq := stretch(math.Pow(theta, float64(-2*i)/float64(*c.HeadDim)))
		for p := range ctx {
			angle := float64(float64(p) * freq)
			cos.F32()[p*half+i], sin.F32()[p*half+i] = float32(math.Cos(angle)), float32(math.Sin(angle))
		}
	}
	return cos, sin, nil
}

// stretch gives the map of frequencies (radians a position), nil for none. Llama 3.1's leaves high frequencies, divides low ones by the
// factor, and blends in between (Dubey et al. 2024, with the file's parameters).
func (s *scaling) stretch() (func(freq float64) float64, error) {
	switch s.Type {
	case "", "default":
		return nil, nil
	case "linear", "llama3":
	default:
		return nil, fmt.Errorf("rope_type: %.40q; default, linear and llama3 are supported", s.Type)
	}
	if !(s.Factor >= 1 && s.Factor <= 1e6) {
		return nil, fmt.Errorf("factor: %g, want 1 to 1e6", s.Factor)
	}
	if s.Type == "linear" {
		return func(freq float64) float64 { return freq / s.Factor }, nil
	}
	if !(s.Low > 0 && s.High > s.Low && s.High <= 1e6 && s.Original >= 1 && s.Original <= maxPositions) {
		return nil, fmt.Errorf("low_freq_factor %g, high_freq_factor %g, original_max_position_embeddings %g: want 0 < low < high and positions of 1 to %d",
			s.Low, s.High, s.Original, maxPositions)
	}
	return func(freq float64) float64 {
		turns := s.Original * freq / (2 * math.Pi) // over the original context
		switch {
		case turns > s.High:
			return freq
		case turns < s.Low:
			return freq / s.Factor
		}
		smooth := (turns - s.Low) / (s.High - s.Low)
		return float64((1-smooth)*freq/s.Factor) + float64(smooth*freq)
	}, nil
}
