package setup

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"poaid/daemon/artifacts"
	"poaid/daemon/registry"
	"poaid/localnet"
	"poaid/model"
	"poaid/model/zoo"
	modelstypes "poaid/x/models/types"
)

// The models that come with poaid.
const (
	Digits = "digits"
	Story  = "story"
)

// royaltyBps is the owner's share of each fee.
const royaltyBps = 200

// Model is a package and the id it has on the chain.
type Model struct {
	ID      string
	Package *model.Package
}

// OpenModel opens digits, story, or the package in a folder, whose name becomes the id.
func OpenModel(ref string) (Model, error) {
	var m Model
	var err error
	switch ref {
	case Digits:
		m.ID = Digits
		m.Package, err = zoo.Digits()
	case Story:
		m.ID = Story
		m.Package, err = zoo.Story()
	default:
		if info, serr := os.Stat(ref); serr != nil || !info.IsDir() {
			return m, fmt.Errorf("serve: %q is neither %s, %s nor the folder of a model package", ref, Digits, Story)
		}
		m.ID = filepath.Base(filepath.Clean(ref))
		m.Package, err = model.Load(ref)
	}
	if err != nil {
		return m, fmt.Errorf("serve: %s: %w", ref, err)
	}
	return m, nil
}

// OpenModels opens several; no two may have one id.
func OpenModels(refs ...string) ([]Model, error) {
	var models []Model
	seen := map[string]bool{}
	for _, ref := range refs {
		m, err := OpenModel(ref)
		if err != nil {
			return nil, err
		}
		if seen[m.ID] {
			return nil, fmt.Errorf("serve: two models are called %q", m.ID)
		}
		seen[m.ID] = true
		models = append(models, m)
	}
	return models, nil
}

// ModelIDs are the ids of the models that were registered, in order.
func (s *Setup) ModelIDs() []string {
	ids := make([]string, len(s.models))
	for i, m := range s.models {
		ids[i] = m.ID
	}
	return ids
}

// artifactServer gives away the owner's weights by content id.
type artifactServer struct {
	store  *artifacts.Store
	server *http.Server
}

func (a *artifactServer) close() error { return errors.Join(a.server.Close(), a.store.Close()) }

// Register serves the weights of the models by content id and registers those that the chain does not know.
func (s *Setup) Register(ctx context.Context, models ...Model) error {
	if err := s.serveArtifacts(ctx); err != nil {
		return err
	}
	owner, err := s.Layout.Address(localnet.AccountOwner)
	if err != nil {
		return err
	}
	for _, m := range models {
		msg, err := registry.Message(ctx, s.owner.store, m.Package, registry.Options{ID: m.ID, Owner: owner, RoyaltyBps: royaltyBps})
		if err != nil {
			return fmt.Errorf("model %s: %w", m.ID, err)
		}
		s.models = append(s.models, m)
		_, known, err := s.registered(ctx, m.ID)
		if err != nil {
			return err
		}
		if known {
			continue
		}
		res, err := s.Client.Send(ctx, localnet.AccountOwner, msg)
		if err != nil {
			return fmt.Errorf("model %s: %w", m.ID, err)
		}
		var got modelstypes.MsgRegisterModelResponse
		if err := localnet.Responses(res, &got); err != nil {
			return err
		}
		s.Step("model %s registered: program %x…, %d units a step", m.ID, got.ProgramHash[:4], got.UnitsStep)
	}
	return nil
}

// registered asks the chain about a model.
func (s *Setup) registered(ctx context.Context, id string) (m modelstypes.Model, known bool, err error) {
	res, err := modelstypes.NewQueryClient(s.Client.Conn).Model(ctx, &modelstypes.QueryModelRequest{Id: id})
	switch {
	case status.Code(err) == codes.NotFound:
		return m, false, nil
	case err != nil:
		return m, false, fmt.Errorf("model %s: %w", id, err)
	}
	return res.Model, true, nil
}

func (s *Setup) serveArtifacts(ctx context.Context) error {
	// The client home's store, so that what its commands store is served, too.
	store, err := artifacts.Open(ctx, "file://"+filepath.Join(s.Layout.Client, "artifacts"), 0)
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", s.Layout.OwnerArtifacts)
	if err != nil {
		return errors.Join(fmt.Errorf("artifact server: %w", err), store.Close())
	}
	server := artifacts.HTTPServer(listener.Addr().String(), artifacts.NewServer(store, artifacts.ServerOptions{}))
	s.owner = &artifactServer{store, server}
	go func() {
		if err := server.Serve(listener); err != nil && !errors.Is(err, http.ErrServerClosed) {
			s.Step("artifact server: %v", err)
		}
	}()
	return nil
}
