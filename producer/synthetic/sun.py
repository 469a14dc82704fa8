"""Where the sun stands."""

import math
from datetime import UTC, datetime

_J2000 = datetime(2000, 1, 1, 12, tzinfo=UTC)


def sun_position(when: datetime, longitude: float, latitude: float) -> tuple[float, float]:
    """Give the sun's zenith angle and azimuth, degrees, the azimuth clockwise from north.

    The low-precision formula of the Astronomical Almanac (section C, "Low precision formulas
    for the Sun"), good to 0.01 degrees between 1950 and 2050; refraction is left out, as it is
    in ESA's metadata.

    Args:
        when: Time with its zone.
        longitude: Degrees, east positive.
        latitude: Degrees, north positive.
    """
    days = (when - _J2000).total_seconds() / 86400
    mean_longitude = 280.460 + 0.9856474 * days
    anomaly = math.radians(357.528 + 0.9856003 * days)
    ecliptic = math.radians(
        mean_longitude + 1.915 * math.sin(anomaly) + 0.020 * math.sin(2 * anomaly)
    )
    obliquity = math.radians(23.439 - 0.0000004 * days)
    ascension = math.atan2(math.cos(obliquity) * math.sin(ecliptic), math.cos(ecliptic))
    declination = math.asin(math.sin(obliquity) * math.sin(ecliptic))
    sidereal = math.radians(280.46062 + 360.98564737 * days + longitude)
    hour = sidereal - ascension
    north = math.radians(latitude)
    height = math.sin(north) * math.sin(declination) + (
        math.cos(north) * math.cos(declination) * math.cos(hour)
    )
    east_part = -math.cos(declination) * math.sin(hour)
    north_part = math.sin(declination) * math.cos(north) - (
        math.cos(declination) * math.sin(north) * math.cos(hour)
    )
    zenith = math.degrees(math.acos(max(-1.0, min(1.0, height))))
    return zenith, math.degrees(math.atan2(east_part, north_part)) % 360
