package simulation

import "poaid/app"

// modules lists what is done with every module.
func modules(s *Sim, a *app.App) []Module {
	own := []Module{
		poaiModule(), modelsModule(), tasksModule(), disputesModule(), rewardsModule(), sprintsModule(), beaconModule(), gradesModule(), lineageModule(), datasetsModule(),
		auctionsModule(), delegationModule(), trainingModule(),
	}
	return append(own, s.sdkModules(a)...)
}
