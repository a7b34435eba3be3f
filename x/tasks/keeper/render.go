package keeper

import (
	"context"
	"errors"

	"cosmossdk.io/collections"

	modelstypes "poaid/x/models/types"
	"poaid/x/tasks/render"
	"poaid/x/tasks/types"
)

// render shows the inline outputs of a result as people read them. It changes nothing and is used by queries only.
func (k Keeper) render(ctx context.Context, model modelstypes.Model, outputs []types.NamedTensor) ([]types.RenderedOutput, error) {
	var vocabulary modelstypes.Vocabulary
	if render.NeedsVocabulary(model) {
		var err error
		vocabulary, err = k.models.GetVocabulary(ctx, model.Id)
		if err != nil && !errors.Is(err, collections.ErrNotFound) && !errors.Is(err, modelstypes.ErrModelNotFound) {
			return nil, err
		}
	}
	return render.Outputs(model, vocabulary.Pieces, outputs), nil
}
