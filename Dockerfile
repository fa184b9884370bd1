FROM node:20-bookworm-slim AS build
WORKDIR /nightshift
COPY . .
RUN npm ci && npm prune --omit=dev --ignore-scripts

FROM node:20-bookworm-slim
COPY --from=build /nightshift/dist /nightshift/dist
COPY --from=build /nightshift/schemas /nightshift/schemas
COPY --from=build /nightshift/node_modules /nightshift/node_modules
COPY --from=build /nightshift/package.json /nightshift/package.json
# The pages listen on 127.0.0.1 unless told otherwise: `web --host 0.0.0.0`, which wants users (nightshift user add).
EXPOSE 8080
ENTRYPOINT ["node", "/nightshift/dist/cli.js"]
