package cmd

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/signal"
	"syscall"

	"github.com/cosmos/cosmos-sdk/client"
	"github.com/spf13/cobra"

	"poaid/daemon/artifacts"
)

func artifactsCmd() *cobra.Command {
	return group("artifacts", "Keep and serve weights, inputs and outputs by content id", artifactsPutCmd(), artifactsGetCmd(), artifactsServeCmd())
}

func artifactsPutCmd() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "put FILE…",
		Short:   "Store files and print their content ids",
		Example: "  poaid artifacts put weights.safetensors",
		Args:    cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return withStore(cmd, func(s *artifacts.Store) error {
				for _, path := range args {
					f, err := os.Open(path)
					if err != nil {
						return err
					}
					cid, n, err := s.Put(cmd.Context(), f)
					if err := errors.Join(err, f.Close()); err != nil {
						return fmt.Errorf("%s: %w", path, err)
					}
					fmt.Fprintf(cmd.OutOrStdout(), "%s %d %s\n", cid, n, path)
				}
				return nil
			})
		},
	}
	addArtifactsFlag(cmd)
	return cmd
}

func artifactsGetCmd() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "get CID",
		Short:   "Write an artifact to a file or to standard output; fetched from peers if it is not here",
		Example: "  poaid artifacts get bafkrei… --out weights.safetensors --peers http://10.0.0.1:8645",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			v := flagReader{set: cmd}
			out, peers := v.text("out"), v.list(flagPeers)
			if v.err != nil {
				return v.err
			}
			return withStore(cmd, func(s *artifacts.Store) error { return getArtifact(cmd, s, args[0], out, peers) })
		},
	}
	addArtifactsFlag(cmd)
	cmd.Flags().String("out", "", "File to write (default: standard output)")
	cmd.Flags().StringSlice(flagPeers, nil, "Artifact servers to ask")
	return cmd
}

func getArtifact(cmd *cobra.Command, s *artifacts.Store, cid, out string, peers []string) (err error) {
	fetcher := artifacts.NewFetcher(s, artifacts.Static(peers), artifacts.FetchOptions{})
	if err := fetcher.Ensure(cmd.Context(), cid, artifacts.DefaultMaxBytes); err != nil {
		return err
	}
	r, _, err := s.Get(cmd.Context(), cid)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	w := cmd.OutOrStdout()
	if out != "" {
		f, err := os.Create(out)
		if err != nil {
			return err
		}
		defer func() {
			// What could not be verified must not stay behind.
			if err = errors.Join(err, f.Close()); err != nil {
				err = errors.Join(err, os.Remove(out))
			}
		}()
		w = f
		_, err = io.Copy(w, r)
		return err
	}
	_, err = io.Copy(w, r)
	return err
}

func artifactsServeCmd() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "serve",
		Short:   "Serve the artifact store over HTTP until interrupted",
		Example: "  poaid artifacts serve --artifacts-addr 0.0.0.0:8645",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			v := flagReader{set: cmd}
			addr, token := v.text(flagArtifactsAddr), v.text(flagArtifactToken)
			if v.err != nil {
				return v.err
			}
			ctx, stop := signal.NotifyContext(cmd.Context(), os.Interrupt, syscall.SIGTERM)
			defer stop()
			return withStore(cmd, func(s *artifacts.Store) error {
				srv := artifacts.HTTPServer(addr, artifacts.NewServer(s, artifacts.ServerOptions{Token: token}))
				go func() {
					<-ctx.Done()
					_ = srv.Close() // Serve returns ErrServerClosed
				}()
				fmt.Fprintf(cmd.ErrOrStderr(), "serving artifacts at http://%s/artifacts/{cid}\n", addr)
				if err := srv.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
					return fmt.Errorf("%s: %w", flagArtifactsAddr, err)
				}
				return nil
			})
		},
	}
	addArtifactsFlag(cmd)
	cmd.Flags().String(flagArtifactsAddr, "127.0.0.1:8645", "Address to serve at")
	cmd.Flags().String(flagArtifactToken, "", "Allow uploads with this bearer token (default: none)")
	return cmd
}

func withStore(cmd *cobra.Command, fn func(*artifacts.Store) error) (err error) {
	clientCtx := client.GetClientContextFromCmd(cmd)
	s, err := openArtifacts(cmd, clientCtx.HomeDir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	return fn(s)
}
