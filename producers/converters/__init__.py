"""Turns real data into session files; each converter states its mapping and reports its counts."""

from producers.converters.online_retail import convert_online_retail
from producers.converters.report import ConversionError, ConversionReport
from producers.converters.taobao import convert_taobao

__all__ = ["ConversionError", "ConversionReport", "convert_online_retail", "convert_taobao"]
