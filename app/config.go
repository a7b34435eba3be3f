package app

import (
	"fmt"
	"strings"

	serverconfig "github.com/cosmos/cosmos-sdk/server/config"
	servertypes "github.com/cosmos/cosmos-sdk/server/types"
	"github.com/spf13/cast"

	"poaid/app/params"
)

// EdgeConfig is the [poai-api] section of app.toml: what the HTTP API lets through.
type EdgeConfig struct {
	// CORSOrigins may read the API from a browser; "*" means every page. Empty: none but the API's own.
	CORSOrigins []string `mapstructure:"cors-origins"`
	// RateLimit is how many requests a second one client address may make in the long run; 0 means no limit.
	RateLimit float64 `mapstructure:"rate-limit"`
	// RateBurst is how many it may make at once.
	RateBurst int `mapstructure:"rate-burst"`
	// TrustForwarded takes the client's address from X-Forwarded-For. Only behind a proxy that sets it.
	TrustForwarded bool `mapstructure:"trust-forwarded"`
}

// Config is app.toml.
type Config struct {
	serverconfig.Config `mapstructure:",squash"`
	Edge                EdgeConfig `mapstructure:"poai-api"`
}

// Keys of the [poai-api] section.
const (
	KeyCORSOrigins    = "poai-api.cors-origins"
	KeyRateLimit      = "poai-api.rate-limit"
	KeyRateBurst      = "poai-api.rate-burst"
	KeyTrustForwarded = "poai-api.trust-forwarded"
)

// ConfigTemplate is the template of app.toml.
const ConfigTemplate = serverconfig.DefaultConfigTemplate + `
###############################################################################
###                        Edge of the HTTP API                             ###
###############################################################################

[poai-api]

# Origins of web pages that may read this API from a browser. "*" allows every page; empty allows none.
cors-origins = [{{ range .Edge.CORSOrigins }}{{ printf "%q, " . }}{{end}}]

# Requests a second that one client address may make in the long run, and at once. 0 means no limit.
rate-limit = {{ .Edge.RateLimit }}
rate-burst = {{ .Edge.RateBurst }}

# Take the client's address from X-Forwarded-For. Only behind a proxy that sets it.
trust-forwarded = {{ .Edge.TrustForwarded }}
`

// DefaultConfig of a node: the API and its documentation are on, on this machine only.
func DefaultConfig() Config {
	c := Config{Config: *serverconfig.DefaultConfig(), Edge: EdgeConfig{CORSOrigins: []string{}, RateLimit: 50, RateBurst: 200}}
	c.MinGasPrices = params.MinGasPrice + params.Denom
	c.API.Enable = true
	c.API.Swagger = true
	// A query may not run for ever on a public node. Pages are bounded, so this is far above what any query needs.
	c.QueryGasLimit = 100_000_000
	return c
}

// readEdgeConfig reads the section; what is not set keeps its default.
func readEdgeConfig(opts servertypes.AppOptions) (EdgeConfig, error) {
	c := DefaultConfig().Edge
	if v := opts.Get(KeyCORSOrigins); v != nil {
		list, err := cast.ToStringSliceE(v)
		if err != nil {
			return c, fmt.Errorf("%s: %w", KeyCORSOrigins, err)
		}
		c.CORSOrigins = list
	}
	for _, o := range c.CORSOrigins {
		if o != "*" && !strings.HasPrefix(o, "http://") && !strings.HasPrefix(o, "https://") {
			return c, fmt.Errorf("%s: %q is neither * nor an origin such as https://example.org", KeyCORSOrigins, o)
		}
	}
	var err error
	if v := opts.Get(KeyRateLimit); v != nil {
		if c.RateLimit, err = cast.ToFloat64E(v); err != nil || c.RateLimit < 0 {
			return c, fmt.Errorf("%s: %v is not a number of requests a second", KeyRateLimit, v)
		}
	}
	if v := opts.Get(KeyRateBurst); v != nil {
		if c.RateBurst, err = cast.ToIntE(v); err != nil || c.RateBurst < 1 {
			return c, fmt.Errorf("%s: %v must be a whole number of at least 1", KeyRateBurst, v)
		}
	}
	if v := opts.Get(KeyTrustForwarded); v != nil {
		if c.TrustForwarded, err = cast.ToBoolE(v); err != nil {
			return c, fmt.Errorf("%s: %w", KeyTrustForwarded, err)
		}
	}
	return c, nil
}
