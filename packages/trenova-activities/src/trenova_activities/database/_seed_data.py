"""Facts that the sample TMS is made of: real cities and freight, invented companies and people."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Final


@dataclass(frozen=True)
class City:
    """A city with a street of its warehouses; coordinates in degrees."""

    name: str
    state: str
    postal_code: str
    timezone: str
    latitude: float
    longitude: float
    street: str

    @property
    def code(self) -> str:
        """Letters for location codes, e.g. ``CHI-IL``."""
        return f"{self.name.replace(' ', '')[:3].upper()}-{self.state}"


_EAST: Final = "America/New_York"
_MIDDLE: Final = "America/Chicago"
_MOUNTAIN: Final = "America/Denver"
_WEST: Final = "America/Los_Angeles"

CITIES: Final = (
    City("Atlanta", "GA", "30336", _EAST, 33.749, -84.388, "Fulton Industrial Blvd SW"),
    City("Birmingham", "AL", "35203", _MIDDLE, 33.521, -86.803, "Messer Airport Hwy"),
    City("Boise", "ID", "83705", "America/Boise", 43.615, -116.202, "W Gowen Rd"),
    City("Charlotte", "NC", "28214", _EAST, 35.227, -80.843, "Rozzelles Ferry Rd"),
    City("Chicago", "IL", "60632", _MIDDLE, 41.878, -87.630, "W 47th St"),
    City("Cincinnati", "OH", "45241", _EAST, 39.103, -84.512, "Kemper Rd"),
    City("Columbus", "OH", "43217", _EAST, 39.961, -82.999, "Alum Creek Dr"),
    City("Dallas", "TX", "75236", _MIDDLE, 32.777, -96.797, "Mountain Creek Pkwy"),
    City("Denver", "CO", "80239", _MOUNTAIN, 39.739, -104.990, "Havana St"),
    City("Des Moines", "IA", "50313", _MIDDLE, 41.587, -93.625, "NE 14th St"),
    City("Detroit", "MI", "48210", "America/Detroit", 42.331, -83.046, "Michigan Ave"),
    City("El Paso", "TX", "79928", _MOUNTAIN, 31.762, -106.485, "Eastlake Blvd"),
    City("Fresno", "CA", "93725", _WEST, 36.738, -119.787, "S Cedar Ave"),
    City("Houston", "TX", "77049", _MIDDLE, 29.760, -95.370, "Wallisville Rd"),
    City("Indianapolis", "IN", "46231", "America/Indiana/Indianapolis", 39.768, -86.158, "Reagan Pkwy"),
    City("Jacksonville", "FL", "32218", _EAST, 30.332, -81.656, "Busch Dr"),
    City("Kansas City", "MO", "64120", _MIDDLE, 39.100, -94.579, "Front St"),
    City("Laredo", "TX", "78045", _MIDDLE, 27.506, -99.508, "Mines Rd"),
    City("Las Vegas", "NV", "89115", _WEST, 36.170, -115.140, "N Lamb Blvd"),
    City("Little Rock", "AR", "72206", _MIDDLE, 34.747, -92.290, "Lindsey Rd"),
    City("Los Angeles", "CA", "90058", _WEST, 34.052, -118.244, "S Alameda St"),
    City("Louisville", "KY", "40219", "America/Kentucky/Louisville", 38.253, -85.759, "Outer Loop"),
    City("Memphis", "TN", "38118", _MIDDLE, 35.150, -90.049, "Lamar Ave"),
    City("Miami", "FL", "33178", _EAST, 25.762, -80.192, "NW 107th Ave"),
    City("Minneapolis", "MN", "55421", _MIDDLE, 44.978, -93.265, "Central Ave NE"),
    City("Nashville", "TN", "37211", _MIDDLE, 36.163, -86.781, "Nolensville Pike"),
    City("Newark", "NJ", "07114", _EAST, 40.736, -74.172, "Doremus Ave"),
    City("Oklahoma City", "OK", "73127", _MIDDLE, 35.468, -97.516, "W Reno Ave"),
    City("Omaha", "NE", "68138", _MIDDLE, 41.257, -95.935, "Giles Rd"),
    City("Philadelphia", "PA", "19116", _EAST, 39.953, -75.164, "Red Lion Rd"),
    City("Phoenix", "AZ", "85043", "America/Phoenix", 33.448, -112.074, "W Buckeye Rd"),
    City("Pittsburgh", "PA", "15205", _EAST, 40.441, -79.996, "Campbells Run Rd"),
    City("Portland", "OR", "97230", _WEST, 45.515, -122.679, "NE Airport Way"),
    City("Reno", "NV", "89502", _WEST, 39.530, -119.814, "Mill St"),
    City("Richmond", "VA", "23231", _EAST, 37.541, -77.436, "Charles City Rd"),
    City("Salt Lake City", "UT", "84104", _MOUNTAIN, 40.761, -111.891, "W 2100 S"),
    City("San Antonio", "TX", "78219", _MIDDLE, 29.425, -98.495, "Cornerway Blvd"),
    City("Savannah", "GA", "31408", _EAST, 32.081, -81.091, "Crossroads Pkwy"),
    City("Seattle", "WA", "98134", _WEST, 47.606, -122.332, "E Marginal Way S"),
    City("St. Louis", "MO", "63045", _MIDDLE, 38.627, -90.199, "Rider Trail S"),
    City("Tampa", "FL", "33619", _EAST, 27.951, -82.457, "Causeway Blvd"),
    City("Toledo", "OH", "43612", _EAST, 41.653, -83.538, "Enterprise Blvd"),
)

CARRIERS: Final = (
    *("Northline Freight", "Blue Mesa Logistics", "Great Basin Carriers", "Harbor & Pine Transport"),
    *("Ironwood Trucking", "Prairie Star Lines", "Cascade Haul", "Redbud Transportation", "Tidewater Express"),
    *("Summit Ridge Freight", "Old Mill Carriers", "Lone Oak Logistics", "Silver Creek Transport"),
    *("Granite State Haulers", "Delta Queen Freight", "Copperline Logistics", "Windrose Trucking"),
    *("Four Corners Express", "Keystone Bay Lines", "Juniper Transportation"),
)
FACILITIES: Final = ("Distribution Center", "Cold Storage", "Cross Dock", "Fulfillment Center", "Plant", "Terminal")
CUSTOMERS: Final = (
    *("Lakeside Foods", "Brightwater Beverage", "Hollis Paper", "Carrow Building Supply", "Ember Appliances"),
    *("Fairlane Auto Parts", "Sunfield Produce", "Marlow Pharmaceuticals", "Tilden Steel", "Orchard Home Goods"),
    *("Quarry Stone Works", "Wexford Dairy", "Pinecrest Furniture", "Holt Chemical", "Riverbend Grocers"),
    *("Stanton Electronics", "Vale Packaging", "Mercer Hardware", "Baxter Pet Foods", "Dunmore Textiles"),
)
FIRST_NAMES: Final = (
    *("Dana", "Luis", "Priya", "Marcus", "Elena", "Terrence", "Hannah", "Omar", "Grace", "Wesley", "Nadia"),
    *("Calvin", "Rosa", "Derek", "Imani", "Patrick", "Yolanda", "Victor", "Carmen", "Joel"),
)
LAST_NAMES: Final = (
    *("Whitfield", "Ortega", "Raman", "Bell", "Kowalski", "Hayes", "Lindqvist", "Farouk", "Nguyen", "Tate"),
    *("Petrov", "Brooks", "Delgado", "Callahan", "Okafor", "Sullivan", "Price", "Moreau", "Vega", "Stone"),
)
SERVICE_TYPES: Final = (("STD", "Standard"), ("EXP", "Expedited"), ("DED", "Dedicated"), ("TEAM", "Team service"))
SHIPMENT_TYPES: Final = (
    *(("TL", "Full truckload"), ("PTL", "Partial truckload"), ("RFR", "Refrigerated"), ("FLT", "Flatbed")),
)


@dataclass(frozen=True)
class Freight:
    """A commodity: pounds per piece, and degrees Fahrenheit where it is kept cold."""

    code: str
    name: str
    weight: int
    temperature: tuple[int, int] | None = None


FREIGHT: Final = (
    Freight("PROD", "Fresh produce, palletized", 1650, (34, 38)),
    Freight("DAIR", "Dairy, palletized", 1900, (33, 38)),
    Freight("FRZN", "Frozen foods, palletized", 1700, (-10, 0)),
    Freight("BEVG", "Bottled beverages, palletized", 2100),
    Freight("CANN", "Canned goods, palletized", 2000),
    Freight("PAPR", "Paper rolls", 1450),
    Freight("LUMB", "Dimensional lumber, bundled", 3200),
    Freight("STEL", "Steel coils", 7800),
    Freight("AUTO", "Auto parts, crated", 1100),
    Freight("APPL", "Household appliances", 240),
    Freight("FURN", "Furniture, boxed", 160),
    Freight("ELEC", "Consumer electronics, palletized", 620),
    Freight("CHEM", "Cleaning products, palletized", 1800),
    Freight("PETF", "Pet food, palletized", 2050),
    Freight("TILE", "Ceramic tile, palletized", 2600),
)


@dataclass(frozen=True)
class Accessorial:
    """A charge beside freight: dollars per unit (Flat), dollars per mile (Distance), percent of freight."""

    code: str
    description: str
    method: str
    amount: Decimal


ACCESSORIALS: Final = (
    Accessorial("FSC", "Fuel surcharge", "Distance", Decimal("0.42")),
    Accessorial("DET", "Detention, per hour", "Flat", Decimal(75)),
    Accessorial("LFT", "Liftgate", "Flat", Decimal(85)),
    Accessorial("LMP", "Lumper", "Flat", Decimal(165)),
    Accessorial("SOF", "Stop-off", "Flat", Decimal(125)),
    Accessorial("TRP", "Tarping", "Flat", Decimal(100)),
    Accessorial("HZM", "Hazardous materials", "Percentage", Decimal(12)),
    Accessorial("INS", "High-value cargo", "Percentage", Decimal("2.5")),
)

STATUSES: Final = {
    "New": 15,
    "PartiallyAssigned": 4,
    "Assigned": 11,
    "InTransit": 14,
    "Delayed": 3,
    "PartiallyCompleted": 4,
    "Completed": 14,
    "ReadyToBill": 9,
    "ReviewRequired": 2,
    "Billed": 21,
    "Canceled": 3,
}
"""Shipment statuses, by how many in a hundred are in them at any moment."""

ROUTES: Final = {(2,): 58, (3,): 13, (4,): 4, (2, 2): 14, (3, 2): 4, (3, 3): 2, (2, 2, 2): 5}
"""Shapes of a shipment (stops of each move), by how many in a hundred look so."""
