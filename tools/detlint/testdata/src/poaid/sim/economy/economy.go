package economy

func net(price, weight, cost float64) float64 {
	return price*weight - cost
}
