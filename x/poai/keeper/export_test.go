package keeper

// Prove is prove, for tests.
var Prove = prove
