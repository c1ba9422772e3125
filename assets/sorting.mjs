// The two menus above the rows: by what they are sorted, and by what they are grouped.

import { address } from "./address.mjs";

/** Ties the menus to the address: what is chosen goes there, and what is there is shown. */
export function startSorting(sort, group) {
  const show = () => {
    sort.value = address.state.sort;
    group.value = address.state.group ?? "";
  };
  sort.addEventListener("change", () => address.change({ sort: sort.value }));
  group.addEventListener("change", () => address.change({ group: group.value || null }));
  address.onChange(show);
  show();
}
