// Parts of the page that the server sends as components: shown as elements, and changed only where a later form differs. Dash would
// make all of them anew, and what the viewer did there (focus, scroll, a selection, an open menu) would be gone at each event.

const ATTRIBUTES = { className: "class", htmlFor: "for" };

export class Part {
  #root;
  #shown = [];

  /** `root` is the place, empty at first; nobody else puts elements there or takes them away. */
  constructor(root) {
    this.#root = root;
  }
  /** Shows these components (one, a list, texts, nothing). */
  show(components) {
    const wanted = flat(components);
    patchChildren(this.#root, this.#shown, wanted);
    this.#shown = wanted;
  }
}

/** What stands beside each other, without what is nothing. */
function flat(children) {
  if (Array.isArray(children)) return children.flatMap(flat);
  return children === null || children === undefined ? [] : [children];
}

/** Whether one may become the other: both texts, or elements of one kind and, where they have one, of one key. */
function alike(one, other) {
  if (typeof one !== "object" || typeof other !== "object") return typeof one !== "object" && typeof other !== "object";
  return one.type === other.type && one.props["data-key"] === other.props["data-key"];
}

function patchChildren(parent, before, now) {
  const left = before.map((component, place) => ({ component, node: parent.childNodes[place] }));
  now.forEach((component, place) => {
    const found = left.findIndex((one) => alike(one.component, component));
    const [old] = found < 0 ? [null] : left.splice(found, 1);
    const node = old ? patched(old.node, old.component, component) : created(component);
    if (parent.childNodes[place] !== node) parent.insertBefore(node, parent.childNodes[place] ?? null);
  });
  for (const { node } of left) node.remove();
}

function created(component) {
  if (typeof component !== "object") return document.createTextNode(component);
  const element = document.createElement(component.type);
  setAttributes(element, {}, component.props);
  patchChildren(element, [], flat(component.props.children));
  return element;
}

function patched(node, before, now) {
  if (JSON.stringify(before) === JSON.stringify(now)) return node;
  if (typeof now !== "object") {
    node.nodeValue = now;
    return node;
  }
  setAttributes(node, before.props, now.props);
  patchChildren(node, flat(before.props.children), flat(now.props.children));
  return node;
}

function setAttributes(element, before, now) {
  for (const name of new Set([...Object.keys(before), ...Object.keys(now)])) {
    const value = now[name] ?? null;
    if (name === "children" || JSON.stringify(before[name] ?? null) === JSON.stringify(value)) continue;
    if (name === "style") element.style.cssText = Object.entries(value ?? {}).map(([property, text]) => `${property}: ${text}`).join("; ");
    else if (value === null || value === false) element.removeAttribute(ATTRIBUTES[name] ?? name);
    else element.setAttribute(ATTRIBUTES[name] ?? name, value === true ? "" : value);
  }
}
