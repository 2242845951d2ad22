module apus/shop

go 1.25.0

require (
	apus/observe v0.0.0
	github.com/lib/pq v1.10.9
	go.uber.org/zap v1.28.0
)

replace apus/observe => ../../kits/go
