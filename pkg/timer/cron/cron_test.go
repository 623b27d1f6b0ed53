package cron

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func zone(t interface{ Fatal(...any) }, name string) *time.Location {
	loc, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return loc
}

func TestNext(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, expr, zone, after, want string }{
		{"weekdays", "0 9 ? * MON-FRI *", "UTC", "2026-01-01T09:00:00Z",
			"2026-01-02T09:00:00Z 2026-01-05T09:00:00Z 2026-01-06T09:00:00Z"},
		{"strictly after, to the second", "30 9 * * ? *", "UTC", "2026-01-01T09:29:59Z", "2026-01-01T09:30:00Z 2026-01-02T09:30:00Z"},
		{"lists, ranges and steps", "5,50-52,10/20 8 * * ? *", "UTC", "2026-01-01T00:00:00Z",
			"2026-01-01T08:05:00Z 2026-01-01T08:10:00Z 2026-01-01T08:30:00Z 2026-01-01T08:50:00Z 2026-01-01T08:51:00Z 2026-01-01T08:52:00Z 2026-01-02T08:05:00Z"},
		{"steps of a range", "0 1-7/3 1 JAN ? *", "UTC", "2026-01-01T00:00:00Z",
			"2026-01-01T01:00:00Z 2026-01-01T04:00:00Z 2026-01-01T07:00:00Z 2027-01-01T01:00:00Z"},
		{"last day", "0 0 L * ? *", "UTC", "2028-01-31T00:00:00Z", "2028-02-29T00:00:00Z 2028-03-31T00:00:00Z 2028-04-30T00:00:00Z"},
		{"the 31st", "0 0 31 * ? *", "UTC", "2026-01-31T00:00:00Z", "2026-03-31T00:00:00Z 2026-05-31T00:00:00Z"},
		{"leap day", "0 0 29 2 ? *", "UTC", "2096-02-29T00:00:00Z", "2104-02-29T00:00:00Z"},
		{"last Friday, as AWS documents", "15 10 ? * 6L 2022-2023", "UTC", "2022-01-01T00:00:00Z", "2022-01-28T10:15:00Z 2022-02-25T10:15:00Z"},
		{"last day of the week", "0 0 ? * L *", "UTC", "2026-01-01T00:00:00Z", "2026-01-03T00:00:00Z 2026-01-10T00:00:00Z"},
		{"second Tuesday, as AWS documents", "0 0 ? * 3#2 *", "UTC", "2026-01-01T00:00:00Z", "2026-01-13T00:00:00Z 2026-02-10T00:00:00Z"},
		{"fifth Saturday, in months that have one", "0 0 ? * 7#5 *", "UTC", "2026-01-01T00:00:00Z", "2026-01-31T00:00:00Z 2026-05-30T00:00:00Z"},
		{"nearest weekday: 3rd is Saturday", "0 0 3W 1 ? *", "UTC", "2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z"},
		{"nearest weekday: 4th is Sunday", "0 0 4W 1 ? *", "UTC", "2026-01-01T00:00:00Z", "2026-01-05T00:00:00Z"},
		{"nearest weekday stays in the month, 1st is Sunday", "0 0 1W 2,8 ? *", "UTC", "2026-01-01T00:00:00Z", "2026-02-02T00:00:00Z 2026-08-03T00:00:00Z"},
		{"nearest weekday stays in the month, 31st is Sunday", "0 0 31W 5 ? *", "UTC", "2026-01-01T00:00:00Z", "2026-05-29T00:00:00Z"},
		{"nearest weekday of a day that the month lacks", "0 0 31W 6,7 ? *", "UTC", "2026-01-01T00:00:00Z", "2026-07-31T00:00:00Z"},
		{"years", "0 0 1 1 ? 2030/50,2199", "UTC", "2026-01-01T00:00:00Z",
			"2030-01-01T00:00:00Z 2080-01-01T00:00:00Z 2130-01-01T00:00:00Z 2180-01-01T00:00:00Z 2199-01-01T00:00:00Z never"},
		{"never", "0 0 30 2 ? *", "UTC", "2026-01-01T00:00:00Z", "never"},
		{"past years", "0 0 1 1 ? 2020", "UTC", "2026-01-01T00:00:00Z", "never"},
		{"before all years", "0 0 1 1 ? *", "UTC", "0001-01-01T00:00:00Z", "1970-01-01T00:00:00Z"},

		{"New York, no 2:30 on the day", "30 2 * * ? *", "America/New_York", "2026-03-07T12:00:00-05:00",
			"2026-03-08T03:00:00-04:00 2026-03-09T02:30:00-04:00"},
		{"New York, all that is left out fires once", "0/15 1-3 8 3 ? 2026", "America/New_York", "2026-03-08T01:40:00-05:00",
			"2026-03-08T01:45:00-05:00 2026-03-08T03:00:00-04:00 2026-03-08T03:15:00-04:00"},
		{"New York, 1:30 twice", "30 1 * * ? *", "America/New_York", "2026-10-31T12:00:00-04:00",
			"2026-11-01T01:30:00-04:00 2026-11-02T01:30:00-05:00"},
		{"New York, after is in the repeated hour", "0/20 1-2 1 11 ? 2026", "America/New_York", "2026-11-01T01:10:00-05:00",
			"2026-11-01T02:00:00-05:00 2026-11-01T02:20:00-05:00"},
		{"London, no 1:15 on the day", "15 1 ? * SUN *", "Europe/London", "2026-03-22T12:00:00Z",
			"2026-03-29T02:00:00+01:00 2026-04-05T01:15:00+01:00"},
		{"London, 1:15 twice", "15 1 ? * SUN *", "Europe/London", "2026-10-24T12:00:00+01:00",
			"2026-10-25T01:15:00+01:00 2026-11-01T01:15:00Z"},
		{"Shanghai has one time", "30 2 * * ? *", "Asia/Shanghai", "2026-03-07T12:00:00Z",
			"2026-03-08T02:30:00+08:00 2026-03-09T02:30:00+08:00"},
		{"Shanghai had two", "30 0 4 5 ? *", "Asia/Shanghai", "1986-05-01T00:00:00Z", "1986-05-04T00:30:00+08:00"},
		{"Lord Howe changes by half an hour", "15 2 * * ? *", "Australia/Lord_Howe", "2026-10-03T12:00:00+10:30",
			"2026-10-04T02:30:00+11:00 2026-10-05T02:15:00+11:00"},
		{"Apia had no 30 December 2011", "0 12 30 12 ? *", "Pacific/Apia", "2011-12-29T12:00:00-10:00",
			"2011-12-31T00:00:00+14:00 2012-12-30T12:00:00+14:00"},
		{"Cairo has no midnight on the day", "0 0 ? * FRI *", "Africa/Cairo", "2026-04-23T12:00:00+02:00",
			"2026-04-24T01:00:00+03:00 2026-05-01T00:00:00+03:00"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s, err := Parse(c.expr)
			if err != nil {
				t.Fatal(err)
			}
			at, err := time.Parse(time.RFC3339, c.after)
			if err != nil {
				t.Fatal(err)
			}
			want := strings.Fields(c.want)
			var got []string
			for range want {
				at = s.Next(at, zone(t, c.zone))
				if at.IsZero() {
					got = append(got, "never")
					break
				}
				got = append(got, at.Format(time.RFC3339))
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s after %s (-want +got):\n%s", c.expr, c.after, diff)
			}
		})
	}
}

func TestParseRefuses(t *testing.T) {
	t.Parallel()
	for expr, want := range map[string]string{
		"":                         `cron "": write six fields`,
		"0 9 * * ?":                "write six fields",
		"0 0 9 * * ? *":            "write six fields",
		"cron(0 9 * * ? *)":        "without the word cron",
		"0 9 * * * *":              "write ? in exactly one of",
		"0 9 ? * ? *":              "write ? in exactly one of",
		"0 9 1 * MON *":            "write ? in exactly one of",
		"60 9 * * ? *":             `cron: minutes "60": 60 is not a value of it: use 0-59, *, lists (,) and ranges (-), steps (/)`,
		"-1 9 * * ? *":             `minutes "-1": nothing is not a value`,
		"1, 9 * * ? *":             `minutes "1,": nothing is not a value`,
		"+1 9 * * ? *":             "+1 is not a value",
		"00001 9 * * ? *":          "00001 is not a value",
		"*/0 9 * * ? *":            "the step after / must be a number from 1 to 59",
		"*/60 9 * * ? *":           "the step after / must be",
		"*/5/5 9 * * ? *":          "the step after / must be",
		"5-1 9 * * ? *":            "the range 5-1 runs backwards: write it as two, 5-59,0-1",
		"1-2-3 9 * * ? *":          "2-3 is not a value",
		"? 9 * * ? *":              "? is not a value",
		"0 24 * * ? *":             `hours "24"`,
		"0 9 0 * ? *":              `day-of-month "0"`,
		"0 9 1,L * ? *":            "L and W stand alone",
		"0 9 LW * ? *":             "EventBridge has only L",
		"0 9 L-3 * ? *":            "EventBridge has only L",
		"0 9 W * ? *":              "EventBridge has only L",
		"0 9 32W * ? *":            "before W stands one day",
		"0 9 1-5W * ? *":           "before W stands one day",
		"0 9 * 13 ? *":             `month "13": 13 is not a value of it: use 1-12 or JAN-DEC`,
		"0 9 * jan ? *":            `month "jan": names are in capitals: write JAN`,
		"0 9 * NOV-FEB ? *":        "write it as two, NOV-DEC,JAN-FEB",
		"0 9 ? * 0 *":              `day-of-week "0"`,
		"0 9 ? * 8 *":              `day-of-week "8"`,
		"0 9 ? * FRI-MON *":        "write it as two, FRI-SAT,SUN-MON",
		"0 9 ? * 2/2 *":            "steps (/) are not for this field",
		"0 9 ? * MONDAY *":         "MONDAY is not a value of it: use 1-7 or SUN-SAT",
		"0 9 ? * 3#6 *":            "write one day (1-7, Sunday is 1), #",
		"0 9 ? * 3#1,6#3 *":        "write one day (1-7, Sunday is 1), #",
		"0 9 ? * FRIL *":           "before L stands one day as a number",
		"0 9 ? * 2,6L *":           "before L stands one day as a number",
		"0 9 * * ? 1969":           `year "1969"`,
		"0 9 * * ? 2200":           `year "2200"`,
		"0 9 * * ? 99999999999999": `year "99999999999999"`,
	} {
		_, err := Parse(expr)
		var e *Error
		if !errors.As(err, &e) || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", expr, err, want)
		}
	}
}

// expressions that are valid, and dense enough for a brute force of some days.
func expressions() *rapid.Generator[string] {
	part := func(min, max, most int) *rapid.Generator[string] {
		return rapid.Custom(func(t *rapid.T) string {
			a := rapid.IntRange(min, max).Draw(t, "a")
			b := rapid.IntRange(a, max).Draw(t, "b")
			step := rapid.IntRange(1, most).Draw(t, "step")
			return rapid.SampledFrom([]string{"*", fmt.Sprint(a), fmt.Sprintf("%d-%d", a, b), fmt.Sprintf("*/%d", step),
				fmt.Sprintf("%d/%d", a, step), fmt.Sprintf("%d-%d/%d", a, b, step), fmt.Sprintf("%d,%d", b, a)}).Draw(t, "part")
		})
	}
	return rapid.Custom(func(t *rapid.T) string {
		days := rapid.OneOf(rapid.Just("*"), part(1, 31, 31), rapid.SampledFrom([]string{"L", "1W", "15W", "28W", "31W"})).Draw(t, "day")
		weekdays := rapid.SampledFrom([]string{"*", "1", "SUN", "MON-FRI", "SUN,3,7", "L", "1L", "1#2", "1#5", "6#4"}).Draw(t, "weekday")
		if rapid.Bool().Draw(t, "by weekday") {
			days = "?"
		} else {
			weekdays = "?"
		}
		return strings.Join([]string{part(0, 59, 59).Draw(t, "minutes"), rapid.OneOf(rapid.Just("*"), part(0, 23, 23)).Draw(t, "hours"), days,
			rapid.OneOf(rapid.Just("*"), rapid.Just("*"), part(1, 12, 12)).Draw(t, "months"), weekdays, "*"}, " ")
	})
}

// has tells the plain way whether a field names a value; names are those of the values from 1.
func has(field string, low, value int, names string) bool {
	for i, name := range strings.Fields(names) {
		field = strings.ReplaceAll(field, name, fmt.Sprint(i+1))
	}
	return slices.ContainsFunc(strings.Split(field, ","), func(part string) bool {
		from, to, by := low, 9999, 1
		span, step, stepped := strings.Cut(part, "/")
		n, _ := fmt.Sscanf(span, "%d-%d", &from, &to)
		if stepped {
			fmt.Sscan(step, &by)
		} else if n == 1 {
			to = from
		}
		return value >= from && value <= to && (value-from)%by == 0
	})
}

// onDay tells the plain way whether an expression names a day.
func onDay(expr string, day time.Time) bool {
	f := strings.Fields(expr)
	inMonth := func(days int) bool { return day.AddDate(0, 0, days).Month() == day.Month() }
	if !has(f[3], 1, int(day.Month()), "") {
		return false
	}
	number, weekday := 0, int(day.Weekday())+1
	switch fmt.Sscan(f[2], &number); {
	case f[2] == "L":
		return !inMonth(1)
	case strings.HasSuffix(f[2], "W"):
		// Who is a weekday and has the number, or has it for a neighbour at the weekend.
		is := func(days int, w time.Weekday) bool {
			d := day.AddDate(0, 0, days)
			return inMonth(days) && d.Day() == number && d.Weekday() == w
		}
		return weekday > 1 && weekday < 7 && (day.Day() == number || is(1, time.Saturday) || is(-1, time.Sunday) ||
			is(-2, time.Saturday) && number == 1 || is(2, time.Sunday) && !inMonth(3))
	case f[2] != "?":
		return has(f[2], 1, day.Day(), "")
	}
	number, nth := 0, 0
	switch n, _ := fmt.Sscanf(f[4], "%d#%d", &number, &nth); {
	case n == 2:
		return weekday == number && inMonth(-7*(nth-1)) && !inMonth(-7*nth)
	case f[4] == "L":
		return weekday == 7
	case strings.HasSuffix(f[4], "L"):
		return weekday == number && !inMonth(7)
	}
	return has(f[4], 1, weekday, "SUN MON TUE WED THU FRI SAT")
}

// named tells which minutes on the wall an expression names.
func named(expr string) func(wall time.Time) bool {
	var hours [24]bool
	var minutes [60]bool
	f := strings.Fields(expr)
	for m := range minutes {
		minutes[m] = has(f[0], 0, m, "")
	}
	for h := range hours {
		hours[h] = has(f[1], 0, h, "")
	}
	days := map[time.Time]bool{}
	return func(wall time.Time) bool {
		day := wall.Truncate(24 * time.Hour)
		if _, ok := days[day]; !ok {
			days[day] = onDay(expr, day)
		}
		return days[day] && hours[wall.Hour()] && minutes[wall.Minute()]
	}
}

// Minute by minute: it fires when the clocks reach, for the first time, a minute that is named, or jump over one.
func TestNextAgainstBruteForce(t *testing.T) {
	t.Parallel()
	places := []struct{ start, zone string }{
		{"2026-03-07T00:00:00Z", "America/New_York"},
		{"2026-10-31T00:00:00Z", "America/New_York"},
		{"2026-11-01T06:00:00Z", "America/New_York"}, // in the repeated hour
		{"2026-03-28T00:00:00Z", "Europe/London"},
		{"2026-10-24T00:00:00Z", "Europe/London"},
		{"2026-10-25T01:00:00Z", "Europe/London"}, // in the repeated hour
		{"2028-02-28T00:00:00Z", "Asia/Shanghai"},
		{"2026-12-30T00:00:00Z", "UTC"},
		{"2026-10-03T00:00:00Z", "Australia/Lord_Howe"}, // half an hour
		{"2011-12-28T00:00:00Z", "Pacific/Apia"},        // a day
	}
	rapid.Check(t, func(t *rapid.T) {
		expr := expressions().Draw(t, "expr")
		s, err := Parse(expr)
		if err != nil {
			t.Fatal(err)
		}
		place := rapid.SampledFrom(places).Draw(t, "place")
		loc := zone(t, place.zone)
		start, _ := time.Parse(time.RFC3339, place.start)
		start = start.Add(time.Duration(rapid.OneOf(rapid.IntRange(0, 1800), rapid.IntRange(0, 86399)).Draw(t, "second")) * time.Second)
		const days = 4
		// A day before, so that a repeated hour around start is known to be one.
		begin := start.Add(-25 * time.Hour).Truncate(time.Minute)
		shown, named := wallOf(begin.In(loc)), named(expr)
		var want, got []string
		for at := begin.Add(time.Minute); at.Before(start.Add(days * 24 * time.Hour)); at = at.Add(time.Minute) {
			fires := false
			for now := wallOf(at.In(loc)); shown.Before(now); {
				shown = shown.Add(time.Minute)
				fires = named(shown) || fires
			}
			if fires && at.After(start) {
				want = append(want, at.In(loc).Format(time.RFC3339))
			}
		}
		for at := s.Next(start, loc); !at.IsZero() && at.Before(start.Add(days*24*time.Hour)); at = s.Next(at, loc) {
			got = append(got, at.Format(time.RFC3339))
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("%s in %s after %s (-want +got):\n%s", expr, loc, start.Format(time.RFC3339), diff)
		}
	})
}

// What is accepted fires at a minute that it names, after the instant asked for, or never.
func FuzzParse(f *testing.F) {
	for _, expr := range []string{"0 9 ? * MON-FRI *", "*/5 8-18/2 L * ? 2026-2030", "0 0 15W JAN,JUL ? *", "0 0 ? * 2#1 *", "0 0 ? * 6L *", "? ? ? ? ? ?"} {
		f.Add(expr)
	}
	f.Fuzz(func(t *testing.T, expr string) {
		s, err := Parse(expr)
		if err != nil {
			if !errors.As(err, new(*Error)) || s != (Schedule{}) {
				t.Fatalf("%q: %v, %v", expr, s, err)
			}
			return
		}
		after := time.Date(2026, 3, 8, 6, 59, 59, 0, time.UTC)
		if next := s.Next(after, time.UTC); !next.IsZero() && (!next.After(after) || next.Second() != 0) {
			t.Fatalf("%q after %v: %v", expr, after, next)
		}
	})
}
