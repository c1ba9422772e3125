// The two menus above the rows: by what they are sorted, and by what they are grouped.

import { address } from "../state/address.mjs";

/** Ties the menus to the address: what is chosen goes there, and what is there is shown. */
export function startSorting(sort, group) {
  const other = new Option("As in the table");
  const show = () => {
    // The table sorts by more than the menu offers.
    other.value = address.state.sort;
    if ([...sort.options].some((option) => option !== other && option.value === other.value)) other.remove();
    else sort.add(other);
    sort.value = address.state.sort;
    group.value = address.state.group ?? "";
  };
  sort.addEventListener("change", () => address.change({ sort: sort.value }));
  group.addEventListener("change", () => address.change({ group: group.value || null }));
  address.onChange(show);
  show();
}
