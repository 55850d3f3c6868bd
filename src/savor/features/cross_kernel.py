"""The ranker's features of one user and N candidates, compiled. Import it when they are to be made: it compiles.

A history is first brought to one row per distinct item of a trip; counts of what was chosen are counts of such rows.
Times are days before `now`.
"""

import numpy as np
from numpy.typing import NDArray

from savor.core.compiled import compiled

DAY = 86_400.0
PERIODS = 16
OWN, LEVEL_OWN, USER = 24, 12, 11
"""How many features there are of user and item, of user and category, and of the user alone."""


@compiled(
    "int32[1]",
    "int64[1]",
    "float32[1]",
    "float32[1]",
    "int64[1]",
    "int32[1]",
    "float32[2]",
    "int64",
    "float64",
    "float32[2]",
    "int64",
    "float32[1]",
    "int32[2]",
    "int64[1]",
    "float32[2]",
    "float32[2]",
    "float32[2]",
)
def cross_features(
    item: NDArray[np.int32],
    time: NDArray[np.int64],
    value: NDArray[np.float32],
    price: NDArray[np.float32],
    basket: NDArray[np.int64],
    candidates: NDArray[np.int32],
    sources: NDArray[np.float32],
    now: int,
    horizon: float,
    statistics: NDArray[np.float32],
    gap_column: int,
    log_price: NDArray[np.float32],
    codes: NDArray[np.int32],
    offsets: NDArray[np.int64],
    categories: NDArray[np.float32],
    share: NDArray[np.float32],
    relative_price: NDArray[np.float32],
) -> NDArray[np.float32]:
    """Cross a history with candidates; the columns are those of `CrossFeatures.names`.

    Args:
        item: (n,) the history's items, oldest first.
        time: (n,) UTC seconds.
        value: (n,) quantities.
        price: (n,) what was paid, NaN where unknown; the value then stands for it.
        basket: (n,) -1 where unknown.
        candidates: (N,) rows of the catalogue.
        sources: (N, S).
        now: UTC seconds.
        horizon: days that rebuying is measured over.
        statistics: (I, K) of the items.
        gap_column: where in `statistics` the usual gap stands.
        log_price: (I,).
        codes: (L, I) category of each item at each level.
        offsets: (L,) where in `categories` the rows of a level begin.
        categories: (C, M) of the categories of all levels.
        share: (L, I) each item's share in its category.
        relative_price: (L, I) likewise.

    Returns:
        (N, F) float32, NaN where a feature has no value.
    """
    events, number, levels = len(item), len(candidates), len(codes)
    nan = np.nan

    # One row per distinct item of a trip; `seen` and `entry` are a hash table from item to position among own items.
    size = 16
    while size < 2 * events + 2:
        size *= 2
    mask = size - 1
    seen, entry = np.full(size, -1, np.int64), np.zeros(size, np.int64)
    own_item = np.empty(events, np.int64)
    own_trip, own_row = np.empty(events, np.int64), np.empty(events, np.int64)
    row_own, row_trip = np.empty(events, np.int64), np.empty(events, np.int64)
    age, paid = np.empty(events), np.empty(events)
    first = np.zeros(events, np.bool_)
    trip_age = np.empty(events)
    rows, own, trips = 0, 0, 0
    before = np.int64(0)
    for at in range(events):
        key = basket[at] if basket[at] >= 0 else -2 - time[at] // 86_400
        if at == 0 or key != before:
            trip_age[trips] = (now - time[at]) / DAY
            trips += 1
            before = key
        amount = np.float64(price[at]) if np.isfinite(price[at]) else np.float64(value[at])
        chosen = np.int64(item[at])
        slot = (chosen * 2_654_435_761) & mask
        while seen[slot] != -1 and seen[slot] != chosen:
            slot = (slot + 1) & mask
        if seen[slot] == -1:
            seen[slot], entry[slot] = chosen, own
            own_item[own], own_trip[own] = chosen, -1
            first[rows] = True
            own += 1
        position = entry[slot]
        if own_trip[position] == trips:
            paid[own_row[position]] += amount
            continue
        own_trip[position], own_row[position] = trips, rows
        row_own[rows], row_trip[rows] = position, trips - 1
        age[rows], paid[rows] = max((now - time[at]) / DAY, 0.0), amount
        rows += 1

    trips_28d, trips_90d = 0, 0
    for trip in range(trips):
        trips_28d += trip_age[trip] < 28
        trips_90d += trip_age[trip] < 90
    lately = max(trips_90d, 1)

    # User and item: sums over the rows of each own item.
    sums = np.zeros((own, 12))
    first_age, last_age, last_gap = np.zeros(own), np.zeros(own), np.zeros(own)
    first_trip, last_trip = np.zeros(own, np.int64), np.zeros(own, np.int64)
    squares, active = np.zeros(own), np.zeros(own, np.int64)
    decayed, log_value = np.empty(rows), np.empty(rows)
    all_decayed, all_log_value, recent, recent_first = 0.0, 0.0, 0, 0
    for row in range(rows):
        position, old = row_own[row], age[row]
        one = sums[position]
        if one[0] == 0:
            first_age[position], first_trip[position] = old, row_trip[row]
        else:
            gap = last_age[position] - old
            squares[position] += gap * gap
            last_gap[position] = gap
        last_age[position], last_trip[position] = old, row_trip[row]
        weight = 2.0 ** (-old / 90)
        decayed[row] = weight
        log_value[row] = np.log(max(paid[row], 0.0) + 0.05)
        all_decayed += weight
        all_log_value += log_value[row]
        one[0] += 1
        one[1] += old < 7
        one[2] += old < 14
        one[3] += old < horizon
        one[4] += horizon <= old < 2 * horizon
        one[5] += 2 * horizon <= old < 3 * horizon
        one[6] += 3 * horizon <= old < 5 * horizon
        one[7] += 2.0 ** (-old / 30)
        one[8] += weight
        one[9] += 2.0 ** (-old / 250)
        one[10] += old < 90
        one[11] += paid[row]
        active[position] |= 1 << np.int64(min(old // horizon, PERIODS - 1))
        if old < horizon:
            recent += 1
            recent_first += first[row]

    # User and category: a second hash table for each level, and sums over the rows of each category.
    level_of = np.empty((levels, own), np.int64)
    level_slots = np.full((levels, size), -1, np.int64)
    level_entry = np.zeros((levels, size), np.int64)
    level_sums = np.zeros((levels, own, 10))
    level_trip = np.full((levels, own), -1, np.int64)
    for level in range(levels):
        slots, entries, of, table, latest = (
            level_slots[level],
            level_entry[level],
            level_of[level],
            level_sums[level],
            level_trip[level],
        )
        found = 0
        for position in range(own):
            code = np.int64(codes[level, own_item[position]])
            slot = (code * 2_654_435_761) & mask
            while slots[slot] != -1 and slots[slot] != code:
                slot = (slot + 1) & mask
            if slots[slot] == -1:
                slots[slot], entries[slot] = code, found
                found += 1
            of[position] = entries[slot]
            table[of[position], 6] += 1
        for row in range(rows):
            group, old = of[row_own[row]], age[row]
            one = table[group]
            if latest[group] != row_trip[row]:
                latest[group] = row_trip[row]
                one[0] += 1
            if one[7] == 0:
                one[4] = old
            one[5] = old
            one[7] += 1
            one[1] += old < 28
            one[2] += decayed[row]
            one[3] += first[row] and old < 90
            one[8] += log_value[row]
            one[9] += old < 90

    # The user alone.
    user = np.zeros(USER, np.float32)
    if trips:
        user[0], user[1], user[2] = trips, trips_28d, trips_90d
        user[3] = rows / trips
        user[4] = trip_age[trips - 1]
        user[5] = (trip_age[0] - trip_age[trips - 1]) / max(trips - 1, 1)
        user[6] = own
        user[7] = recent_first / max(recent, 1)
        user[8] = recent
        user[9] = all_log_value / rows
        user[10] = trip_age[0]
    else:
        user[4] = user[5] = user[9] = user[10] = nan

    wide, narrow, brought = statistics.shape[1], categories.shape[1], sources.shape[1]
    width = OWN + levels * LEVEL_OWN + USER + wide + 2 + levels * (narrow + 2) + brought
    result = np.zeros((number, width), np.float32)
    for row in range(number):
        line = result[row]
        candidate = np.int64(candidates[row])
        slot = (candidate * 2_654_435_761) & mask
        while seen[slot] != -1 and seen[slot] != candidate:
            slot = (slot + 1) & mask
        own_decayed = 0.0
        if seen[slot] == candidate:
            position = entry[slot]
            one = sums[position]
            count, start, end = one[0], first_age[position], last_age[position]
            own_decayed = one[8]
            gaps = max(count - 1, 1.0)
            mean_gap = (start - end) / gaps if count > 1 else 0.0
            usual = np.float64(statistics[candidate, gap_column])
            expected = max((mean_gap * (count - 1) + usual) / max(count, 1.0), 0.1)
            since = np.float64(trips - 1 - last_trip[position])
            rate = count / max(trips - first_trip[position], 1)
            periods, left = 0, active[position]
            while left:
                periods += left & 1
                left >>= 1
            for column in range(10):
                line[column] = one[column]
            line[10], line[11], line[12] = end, start, expected
            line[13] = end / expected
            line[14] = np.sqrt(max(squares[position] / gaps - mean_gap * mean_gap, 0.0))
            line[15] = last_gap[position]
            line[16] = end / max(last_gap[position], 1.0)
            line[17], line[18] = since, rate
            line[19] = one[10] / lately
            line[20] = since * rate
            line[21] = one[11] / max(count, 1.0)
            line[22] = (count - 1) / (start + 30)
            line[23] = periods / (min(start // horizon, PERIODS - 1) + 1)
        else:
            line[10:18] = nan
        at = OWN
        for level in range(levels):
            code = np.int64(codes[level, candidate])
            slots = level_slots[level]
            slot = (code * 2_654_435_761) & mask
            while slots[slot] != -1 and slots[slot] != code:
                slot = (slot + 1) & mask
            if slots[slot] == code:
                one = level_sums[level, level_entry[level, slot]]
                gap = (one[4] - one[5] + 30) / max(one[0], 1.0)
                line[at], line[at + 1], line[at + 2], line[at + 3] = one[0], one[1], one[2], one[5]
                line[at + 4], line[at + 5], line[at + 6] = gap, one[5] / gap, one[6]
                line[at + 7] = one[3] / (one[9] + 1)
                line[at + 8] = one[2] / max(all_decayed, 1e-6)
                line[at + 9] = own_decayed / max(one[2], 1e-6)
                line[at + 10] = log_price[candidate] - np.float32(one[8] / max(one[7], 1.0))
                line[at + 11] = one[9] / lately
            else:
                line[at + 3] = line[at + 4] = line[at + 5] = line[at + 10] = nan
            at += LEVEL_OWN
        line[at : at + USER] = user
        at += USER
        line[at : at + wide] = statistics[candidate]
        at += wide
        line[at] = log_price[candidate]
        line[at + 1] = log_price[candidate] - user[9]
        at += 2
        for level in range(levels):
            line[at : at + narrow] = categories[offsets[level] + codes[level, candidate]]
            at += narrow
            line[at], line[at + 1] = share[level, candidate], relative_price[level, candidate]
            at += 2
        line[at:] = sources[row]
    return result
