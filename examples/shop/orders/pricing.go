package main

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"sort"
	"strings"
)

// This file is what the shop spends its processor on, so that a profile of it has something to show.

// riskRounds makes one checkout cost some milliseconds, as a model of fraud would.
const riskRounds = 80_000

// riskOf weighs how likely an order is fraud, from 0 to 1.
func riskOf(o order) float64 {
	digest := sha256.Sum256([]byte(o.Customer))
	for round := 0; round < riskRounds; round++ {
		digest = mixRound(digest, round)
	}
	return float64(binary.BigEndian.Uint32(digest[:4])) / (1 << 32)
}

//go:noinline
func mixRound(digest [32]byte, round int) [32]byte {
	digest[round%len(digest)] ^= byte(round)
	return sha256.Sum256(digest[:])
}

// priceWithDiscounts tries every set of discounts and returns the lowest total.
func priceWithDiscounts(o order) int64 {
	best := o.TotalCents
	for set := 0; set < 1<<10; set++ {
		if total := applyDiscounts(o, set); total < best {
			best = total
		}
	}
	return best
}

//go:noinline
func applyDiscounts(o order, set int) int64 {
	total := int64(0)
	for i, line := range o.Items {
		price := line.PriceCents * line.Quantity
		if set&(1<<(i%10)) != 0 && line.Quantity > 2 {
			price -= price / 20
		}
		total += price
	}
	return total
}

// renderInvoice writes an order for people to read.
func renderInvoice(o order, total int64) string {
	items := append([]item(nil), o.Items...)
	sort.Slice(items, func(i, j int) bool { return items[i].ProductID < items[j].ProductID })
	var text strings.Builder
	fmt.Fprintf(&text, "Invoice %d for %s\n", o.ID, o.Customer)
	for _, line := range items {
		fmt.Fprintf(&text, "%3d × %-12s %8.2f\n", line.Quantity, productName(line.ProductID), float64(line.PriceCents*line.Quantity)/100)
	}
	fmt.Fprintf(&text, "total %18.2f\n", float64(total)/100)
	return text.String()
}

func productName(id int64) string {
	if id >= 1 && id <= int64(len(assortment)) {
		return assortment[id-1]
	}
	return fmt.Sprint("product ", id)
}
