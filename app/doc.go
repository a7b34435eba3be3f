// Package app wires poaid's modules into one CometBFT application. It holds no logic of its own beyond the ante chain and
// the HTTP edge: start reading at New, then newKeepers, newModuleManager and newAnteHandler.
package app
