package route

// zones are countries that keep one clock everywhere, or nearly so (of Spain and Portugal the islands, of
// Ecuador and Chile too, are an hour or two behind). Of the others (US, RU, BR, AU, …) a phone number does
// not tell. https://data.iana.org/time-zones/tzdb/zone1970.tab
var zones = map[string]string{
	"AE": "Asia/Dubai", "AR": "America/Argentina/Buenos_Aires", "AT": "Europe/Vienna", "BD": "Asia/Dhaka", "BE": "Europe/Brussels",
	"BG": "Europe/Sofia", "BN": "Asia/Brunei", "BO": "America/La_Paz", "CH": "Europe/Zurich", "CN": "Asia/Shanghai",
	"CO": "America/Bogota", "CR": "America/Costa_Rica", "CZ": "Europe/Prague", "DE": "Europe/Berlin", "DK": "Europe/Copenhagen",
	"DO": "America/Santo_Domingo", "DZ": "Africa/Algiers", "EE": "Europe/Tallinn", "EG": "Africa/Cairo", "ES": "Europe/Madrid",
	"ET": "Africa/Addis_Ababa", "FI": "Europe/Helsinki", "FR": "Europe/Paris", "GB": "Europe/London", "GH": "Africa/Accra",
	"GR": "Europe/Athens", "HK": "Asia/Hong_Kong", "HR": "Europe/Zagreb", "HU": "Europe/Budapest", "IE": "Europe/Dublin",
	"IL": "Asia/Jerusalem", "IN": "Asia/Kolkata", "IR": "Asia/Tehran", "IT": "Europe/Rome", "JP": "Asia/Tokyo",
	"KE": "Africa/Nairobi", "KH": "Asia/Phnom_Penh", "KR": "Asia/Seoul", "KW": "Asia/Kuwait", "LA": "Asia/Vientiane",
	"LK": "Asia/Colombo", "LT": "Europe/Vilnius", "LV": "Europe/Riga", "MA": "Africa/Casablanca", "MM": "Asia/Yangon",
	"MO": "Asia/Macau", "MY": "Asia/Kuala_Lumpur", "NG": "Africa/Lagos", "NL": "Europe/Amsterdam", "NO": "Europe/Oslo",
	"NP": "Asia/Kathmandu", "PE": "America/Lima", "PH": "Asia/Manila", "PK": "Asia/Karachi", "PL": "Europe/Warsaw",
	"PT": "Europe/Lisbon", "QA": "Asia/Qatar", "RO": "Europe/Bucharest", "RS": "Europe/Belgrade", "SA": "Asia/Riyadh",
	"SE": "Europe/Stockholm", "SG": "Asia/Singapore", "SK": "Europe/Bratislava", "TH": "Asia/Bangkok", "TR": "Europe/Istanbul",
	"TW": "Asia/Taipei", "UA": "Europe/Kyiv", "UY": "America/Montevideo", "VE": "America/Caracas", "VN": "Asia/Ho_Chi_Minh",
	"ZA": "Africa/Johannesburg",
}

// Zone is the time zone of a country, ISO 3166; "" where it has several or is not known.
func Zone(region string) string { return zones[region] }
