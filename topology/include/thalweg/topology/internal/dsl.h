#pragma once

// The definitions behind KStream, KTable, KGroupedStream and StreamsBuilder.
