"""What can be shown of settings that do not hold."""

from pydantic import BaseModel, SecretStr
from pydantic_settings import SettingsConfigDict

from trenova_workers import ServiceSettings
from trenova_workers._partial import MISSING
from trenova_workers._settings import describe_refused, told_layers


class Door(BaseModel):
    code: SecretStr
    name: str = "front"


class House(BaseModel):
    url: str
    rooms: int = 3
    doors: list[Door] = []


class Settings(ServiceSettings):
    model_config = SettingsConfigDict(env_prefix="HOUSE_")

    house: House
    door: Door = Door(code=SecretStr("planted"), name="back")


def shown(**environ):
    settings = describe_refused(Settings, told_layers(Settings, environ=environ))
    return {one["key"]: (one["value"], one["source"]) for one in settings}


def test_what_is_required_and_not_set_is_marked_beside_its_neighbours():
    told = shown(HOUSE_ENV="prod")

    assert told["house.url"] == (None, MISSING)
    assert told["house.rooms"] == (3, "default")
    assert told["env"] == ("prod", "HOUSE_ENV")
    assert told["worker.max_activities"] == (100, "default")


def test_no_secret_is_shown_whatever_does_not_fit():
    doors = '[{"code": "planted", "name": 5, "nmae": "planted"}]'
    told = shown(HOUSE_HOUSE__DOORS=doors, HOUSE_DOOR__CODE="planted", HOUSE_DOOR__NAME="side")

    assert told["house.doors"] == ("does not fit", "HOUSE_HOUSE__DOORS")
    assert told["door.code"] == ("**********", "HOUSE_DOOR__CODE")
    assert told["door.name"] == ("side", "HOUSE_DOOR__NAME")
    assert "planted" not in str([told, shown()])


def test_the_defaults_of_a_section_are_those_of_its_field():
    assert shown()["door.name"] == ("back", "default")
