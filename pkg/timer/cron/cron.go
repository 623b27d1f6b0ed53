package cron

import (
	"strings"
	"time"
)

// Schedule is a parsed expression. Parse makes it; the zero value never fires.
type Schedule struct {
	minutes, hours, days, months, weekdays, years set

	lastDay     bool         // day-of-month L
	nearest     int          // day-of-month 15W: 15
	nth         int          // day-of-week 2#1: 1, of weekday
	lastWeekday bool         // day-of-week 6L, of weekday
	weekday     time.Weekday // of nth and lastWeekday
}

// Parse reads an expression of six fields. Its errors are *Error: they name the field and say what to write.
func Parse(expr string) (Schedule, error) {
	fields := strings.Fields(expr)
	whole := func(fix string) (Schedule, error) { return Schedule{}, &Error{Text: expr, Fix: fix} }
	if strings.ContainsAny(expr, "()") {
		return whole("write the six fields alone, without the word cron and brackets")
	}
	if len(fields) != 6 {
		return whole("write six fields (minutes hours day-of-month month day-of-week year), as 0 9 ? * MON-FRI *")
	}
	day, weekday := fields[2], fields[4]
	if (day == "?") == (weekday == "?") {
		return whole("write ? in exactly one of day-of-month and day-of-week: the one that does not matter")
	}
	var s Schedule
	for _, f := range []struct {
		set *set
		field
		text string
	}{
		{&s.minutes, minuteField, fields[0]}, {&s.hours, hourField, fields[1]},
		{&s.months, monthField, fields[3]}, {&s.years, yearField, fields[5]},
	} {
		var err error
		if *f.set, err = f.parse(f.text); err != nil {
			return Schedule{}, err
		}
	}
	var err error
	if day != "?" {
		err = s.parseDay(day)
	} else {
		err = s.parseWeekday(weekday)
	}
	if err != nil {
		return Schedule{}, err
	}
	return s, nil
}

func (s *Schedule) parseDay(text string) (err error) {
	switch {
	case text == "L":
		s.lastDay = true
	case text == "W" || text == "LW" || strings.HasPrefix(text, "L-"):
		return dayField.errorf(text, "EventBridge has only L (the last day) and a day before W, as 15W")
	case strings.HasSuffix(text, "W"):
		n, err := number(strings.TrimSuffix(text, "W"))
		if err != nil || n < 1 || n > 31 {
			return dayField.errorf(text, "before W stands one day, 1-31, as 15W")
		}
		s.nearest = n
	case strings.ContainsAny(text, "LW"):
		return dayField.errorf(text, "L and W stand alone, not in a list: make a schedule for each")
	default:
		s.days, err = dayField.parse(text)
	}
	return err
}

func (s *Schedule) parseWeekday(text string) (err error) {
	day, nth, isNth := strings.Cut(text, "#")
	last, isLast := strings.CutSuffix(text, "L")
	switch {
	case text == "L": // of the week: Saturday
		s.weekdays.add(int(time.Saturday))
	case isNth:
		d, err1 := number(day)
		n, err2 := number(nth)
		if err1 != nil || err2 != nil || d < 1 || d > 7 || n < 1 || n > 5 {
			return weekdayField.errorf(text, "write one day (1-7, Sunday is 1), # and which one of the month (1-5), as 2#1")
		}
		s.weekday, s.nth = time.Weekday(d-1), n
	case isLast:
		d, err := number(last)
		if err != nil || d < 1 || d > 7 {
			return weekdayField.errorf(text, "before L stands one day as a number (1-7, Sunday is 1), as 6L for the last Friday")
		}
		s.weekday, s.lastWeekday = time.Weekday(d-1), true
	default:
		s.weekdays, err = weekdayField.parse(text)
	}
	return err
}

// Next is the first instant after another at which the schedule fires in a time zone, in that zone; the zero
// time when it never does again. See the package for the days on which clocks change.
func (s Schedule) Next(after time.Time, loc *time.Location) time.Time {
	wall := wallOf(after.In(loc))
	for {
		var ok bool
		if wall, ok = s.nextWall(wall); !ok {
			return time.Time{}
		}
		if t := reaches(wall, loc); t.After(after) {
			return t // else clocks went back, and wall was shown, and fired, before after
		}
	}
}

// wallOf is what a clock on the wall shows, to the minute, as a time in UTC.
func wallOf(t time.Time) time.Time {
	return time.Date(t.Year(), t.Month(), t.Day(), t.Hour(), t.Minute(), 0, 0, time.UTC)
}

// reaches is the first instant at which the clocks of a zone show wall or later. Clocks that jump over wall
// reach it at the end of the gap; clocks that show it twice reach it the first time.
func reaches(wall time.Time, loc *time.Location) time.Time {
	const most = 16 * 60 * 60 // no zone is further from UTC, so at that instant no clock has reached it
	sec := wall.Unix()
	for t := time.Unix(sec-most, 0).In(loc); ; {
		start, end := t.ZoneBounds()
		_, offset := t.Zone()
		at := time.Unix(sec-int64(offset), 0).In(loc)
		if at.Before(start) {
			at = start
		}
		if end.IsZero() || at.Before(end) {
			return at
		}
		t = end
	}
}

// nextWall is the first wall time after another that the fields name.
func (s *Schedule) nextWall(after time.Time) (time.Time, bool) {
	from := after.Add(time.Minute)
	if from.Year() < yearField.min {
		from = time.Date(yearField.min, 1, 1, 0, 0, 0, 0, time.UTC)
	}
	year, month, day := from.Date()
	hour, minute := from.Hour(), from.Minute()
	for year <= yearField.max {
		switch {
		case !s.years.has(year - yearField.min):
			year, month, day = year+1, time.January, 1
		case !s.months.has(int(month) - monthField.min):
			year, month, day = time.Date(year, month+1, 1, 0, 0, 0, 0, time.UTC).Date()
		default:
			if s.onDay(year, month, day) {
				if h, m, ok := s.inDay(hour, minute); ok {
					return time.Date(year, month, day, h, m, 0, 0, time.UTC), true
				}
			}
			year, month, day = time.Date(year, month, day+1, 0, 0, 0, 0, time.UTC).Date()
		}
		hour, minute = 0, 0
	}
	return time.Time{}, false
}

// inDay is the first time of day from one on.
func (s *Schedule) inDay(hour, minute int) (h, m int, ok bool) {
	if s.hours.has(hour) {
		if m := s.minutes.next(minute); m >= 0 {
			return hour, m, true
		}
	}
	h, m = s.hours.next(hour+1), s.minutes.next(0)
	return h, m, h >= 0 && m >= 0
}

// onDay tells whether the two day fields name a day.
func (s *Schedule) onDay(year int, month time.Month, day int) bool {
	weekday := time.Date(year, month, day, 0, 0, 0, 0, time.UTC).Weekday()
	last := time.Date(year, month+1, 0, 0, 0, 0, 0, time.UTC).Day()
	switch {
	case s.lastDay:
		return day == last
	case s.nearest > 0:
		return day == nearestWeekday(year, month, s.nearest, last)
	case s.nth > 0:
		return weekday == s.weekday && (day-1)/7+1 == s.nth
	case s.lastWeekday:
		return weekday == s.weekday && day+7 > last
	}
	return s.days.has(day-dayField.min) || s.weekdays.has(int(weekday))
}

// nearestWeekday is the day from Monday to Friday that is nearest to a day and in its month; 0 in a month
// that has no such day.
func nearestWeekday(year int, month time.Month, day, last int) int {
	if day > last {
		return 0
	}
	switch time.Date(year, month, day, 0, 0, 0, 0, time.UTC).Weekday() {
	case time.Saturday:
		if day == 1 {
			return day + 2
		}
		return day - 1
	case time.Sunday:
		if day == last {
			return day - 2
		}
		return day + 1
	}
	return day
}
