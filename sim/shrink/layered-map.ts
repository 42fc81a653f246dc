/**
 * A map that can be forked in no time: what was known before is shared, what comes after is each one's own.
 *
 * A fork freezes the layer that both had and puts an empty one on top of it for each. A look-up goes down the layers; now
 * and then they are merged, so that it never goes far.
 */
const LAYERS_MAX = 12;

export class LayeredMap<Value> {
  private top = new Map<number, Value>();
  /** Newest last; never changed again. */
  private below: readonly ReadonlyMap<number, Value>[] = [];

  get(key: number): Value | undefined {
    const own = this.top.get(key);
    if (own !== undefined) return own;
    for (let i = this.below.length - 1; i >= 0; i--) {
      const value = this.below[i]!.get(key);
      if (value !== undefined) return value;
    }
    return undefined;
  }

  set(key: number, value: Value): void {
    this.top.set(key, value);
  }

  /** A map with the same content; neither sees what the other sets from now on. */
  fork(): LayeredMap<Value> {
    if (this.top.size > 0) {
      const layers = [...this.below, this.top];
      this.below = layers.length > LAYERS_MAX ? [new Map<number, Value>(layers.flatMap((layer) => [...layer]))] : layers;
      this.top = new Map();
    }
    const child = new LayeredMap<Value>();
    child.below = this.below;
    return child;
  }
}
