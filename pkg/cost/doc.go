// Package cost is what AWS asks for: prices, and the bill of what is used. Used is what tests count; here it is only
// multiplied. Free tiers are left out. docs/cost.md is made of it.
package cost
