package openapi_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"regexp"
	"testing"

	"github.com/gorilla/mux"
	"github.com/stretchr/testify/require"

	"poaid/app/openapi"
)

func fetch(t *testing.T, path string) *httptest.ResponseRecorder {
	t.Helper()
	router := mux.NewRouter()
	openapi.Register(router)
	w := httptest.NewRecorder()
	router.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, http.NoBody))
	return w
}

func TestPageLoadsNothingFromElsewhere(t *testing.T) {
	page := fetch(t, openapi.Prefix)
	require.Equal(t, http.StatusOK, page.Code)
	require.NotContains(t, page.Body.String(), "://", "the page must work without internet access")
	refs := regexp.MustCompile(`(?:src|href|url)[=:]\s*"([^"]+)"`).FindAllStringSubmatch(page.Body.String(), -1)
	require.GreaterOrEqual(t, len(refs), 4)
	for _, ref := range refs {
		require.Equal(t, http.StatusOK, fetch(t, openapi.Prefix+ref[1]).Code, ref[1])
	}
}

func TestDocumentDescribesEveryModule(t *testing.T) {
	var doc struct {
		Paths map[string]map[string]struct {
			OperationID string `json:"operationId"`
		} `json:"paths"`
	}
	require.NoError(t, json.Unmarshal(fetch(t, openapi.Prefix+"poaid.swagger.json").Body.Bytes(), &doc))
	for _, path := range []string{
		"/poai/beacon/v1/params", "/poai/models/v1/params", "/poai/tasks/v1/params", "/poai/poai/v1/params", "/poai/rewards/v1/params",
		"/cosmos/bank/v1beta1/supply", "/cosmos/tx/v1beta1/txs", "/cosmos/base/node/v1beta1/status", "/cosmos/gov/v1/proposals",
	} {
		require.Contains(t, doc.Paths, path)
	}
	seen := make(map[string]string)
	for path, methods := range doc.Paths {
		for method, op := range methods {
			require.Empty(t, seen[op.OperationID], "%s %s has the operationId of another path", method, path)
			seen[op.OperationID] = path
		}
	}
}

func TestOtherFilesAreNotServed(t *testing.T) {
	require.Equal(t, http.StatusNotFound, fetch(t, openapi.Prefix+"swagger.yaml").Code)
}
